"""Images brought to another size: by resampling, and by the mean of square blocks of pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from samcli.data.base import DatasetKind, Source
from samcli.data.sources._reading import image_reading
from samcli.errors import ConfigError
from samcli.registry import option

if TYPE_CHECKING:
    from PIL import Image

WAYS = ("crop", "stretch", "pad")


@dataclass(frozen=True)
class Resizing:
    """How images are brought to another size.

    Attributes:
        sides: height and width that they are resampled to; None leaves theirs.
        way: crop scales an image until it covers these sides and takes the middle; pad scales it until it lies within
            them, and what is left around it is black; stretch gives up its proportion.
        shrink: the side of the blocks of pixels whose means are taken afterwards.
    """

    sides: tuple[int, int] | None = None
    way: str = "crop"
    shrink: int = 1

    @staticmethod
    def of(kind: Any) -> Resizing:
        """That of the options `size`, `width`, `resize` and `shrink`."""
        return Resizing((kind.size, kind.width or kind.size) if kind.size else None, kind.resize, kind.shrink)

    def shape(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of what an image of these sides becomes.

        Raises:
            ConfigError: a side is no multiple of `shrink`.

        >>> Resizing(shrink=2).shape(28, 28), Resizing((48, 64), "pad").shape(10, 99)
        ((14, 14), (48, 64))
        """
        height, width = self.sides or (height, width)
        if height % self.shrink or width % self.shrink:
            raise ConfigError(
                f"shrink: {self.shrink} does not divide images of {width}×{height} pixels; choose a number that "
                "divides both sides, or set size."
            )
        return height // self.shrink, width // self.shrink

    def resampled(self, image: Image.Image) -> Image.Image:
        r"""The image at `sides`, by bilinear interpolation over all pixels that one of the result covers.

        >>> from PIL import Image
        >>> Resizing((4, 6), "pad").resampled(Image.new("L", (9, 3), 7)).tobytes()[5:8]
        b'\x00\x07\x07'
        """
        from PIL import Image, ImageOps

        if self.sides is None or image.size == self.sides[::-1]:
            return image
        height, width = self.sides
        if self.way == "crop":
            return ImageOps.fit(image, (width, height), Image.Resampling.BILINEAR)
        if self.way == "stretch":
            return image.resize((width, height), Image.Resampling.BILINEAR)
        scale = min(width / image.width, height / image.height)
        inner = [max(1, round(scale * side)) for side in image.size]
        padded = Image.new(image.mode, (width, height))
        scaled = image.resize((inner[0], inner[1]), Image.Resampling.BILINEAR)
        padded.paste(scaled, ((width - inner[0]) // 2, (height - inner[1]) // 2))
        return padded

    def notes(self, before: tuple[int, int] | None, after: tuple[int, int]) -> Iterator[str]:
        """A clause on what was done to images of this height and width, None for several, which have these now."""
        if before != after:
            how = f" (means of {self.shrink}×{self.shrink} pixels)" if self.shrink > 1 else ""
            yield f"brought to {after[1]}×{after[0]}{how}"


def shrunk(images: npt.NDArray[np.uint8], by: int) -> npt.NDArray[np.uint8]:
    """The means of blocks of by × by pixels, rounded to the nearest whole number, halves upward.

    Args:
        images: (..., H, W, C); `by` divides H and W.
        by: the side of a block.

    >>> shrunk(np.array([[1, 2], [2, 5]], np.uint8).reshape(2, 2, 1), 2)  # 2.5
    array([[[3]]], dtype=uint8)
    """
    if by == 1:
        return images
    *rest, height, width, channels = images.shape
    sums = np.full((*rest, height // by, width // by, channels), by * by // 2, np.uint32)
    for row in range(by):
        for column in range(by):
            sums += images[..., row::by, column::by, :]
    return (sums // (by * by)).astype(np.uint8)


@dataclass(frozen=True, kw_only=True)
class Resized(DatasetKind):
    """Images that are all of one size as they were published.

    Raises:
        ConfigError: options that only mean something beside another.
    """

    shrink: int = option(
        1, "side of the square blocks of pixels whose means the images become; must divide their sides", minimum=1
    )
    size: int = option(0, "side of the images in pixels, or their height; 0: their own", minimum=0)
    width: int | None = option(None, "width of the images in pixels; null: that of size", minimum=1)
    resize: str = option("crop", "how images come to size: crop the middle, stretch, or pad with black", choices=WAYS)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_width(self)
        if self.resize != "crop" and not self.size:
            raise ConfigError(f"resize: {self.resize} says how images are brought to size; set size as well.")

    def resized(self, source: Source) -> Source:
        """The source with its images at the size that is asked for, and how files become such images.

        Raises:
            ConfigError: `shrink` does not divide the sides.
        """
        resizing = Resizing.of(self)
        before = (source.inputs.shape[1], source.inputs.shape[2])
        after = resizing.shape(*before)
        inputs, test_inputs = (_resized(images, resizing) for images in (source.inputs, source.test_inputs))
        notes = (*source.notes, *resizing.notes(before, after))
        reading = image_reading(inputs, way=resizing.way, shrink=resizing.shrink)
        return replace(source, inputs=inputs, test_inputs=test_inputs, notes=notes, reading=reading)


def check_width(kind: Any) -> None:
    """Refuse a width without a height.

    Raises:
        ConfigError: there is one.
    """
    if kind.width and not kind.size:
        raise ConfigError(f"width: {kind.width} needs the height as well; set size to it.")


def _resized(images: Tensor, resizing: Resizing) -> Tensor:
    from PIL import Image

    pixels = images.numpy()
    if resizing.sides not in (None, pixels.shape[1:3]):
        height, width = resizing.sides or pixels.shape[1:3]
        made = np.empty((len(pixels), height, width, pixels.shape[3]), np.uint8)
        for i, image in enumerate(pixels):
            flat = image[:, :, 0] if image.shape[2] == 1 else image
            made[i] = np.asarray(resizing.resampled(Image.fromarray(flat))).reshape(made.shape[1:])
        pixels = made
    return torch.from_numpy(shrunk(pixels, resizing.shrink))
