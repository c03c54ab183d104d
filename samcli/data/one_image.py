"""One image as a network gets it, made in the same way as the images that it was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, ValidationInfo, field_validator
from torch import Tensor

from samcli.data.sources._decode import header, is_deep, no_alarm, pixels_of
from samcli.data.sources._depth import Depth
from samcli.data.sources._resized import Resizing
from samcli.errors import DataError

if TYPE_CHECKING:
    from PIL import Image

_Side = Annotated[int, Field(ge=1, le=2**14)]


class _Range(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)

    low: FiniteFloat | int
    high: FiniteFloat | int
    whole: bool


class ImageReading(BaseModel):
    """How an image file becomes pixels.

    Attributes:
        size: height and width that an image of another size is brought to.
        channels: 1 for grey, 3 for colours.
        resize: how it is brought to them, see `Resizing`.
        shrink: the side of the blocks of pixels whose means are taken afterwards; divides both.
        depth: the range that values of more than 8 bits are brought to 8 by, see `Depth`; None where training had none.

    >>> reading_of({"size": [28, 28], "channels": 1, "resize": "crop", "depth": None}).size
    (28, 28)
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: tuple[_Side, _Side]
    channels: Literal[1, 3]
    resize: Literal["crop", "stretch", "pad"] = "crop"
    shrink: Annotated[int, Field(ge=1)] = 1
    depth: _Range | None = None

    @field_validator("shrink")
    @classmethod
    def _divides(cls, shrink: int, info: ValidationInfo) -> int:
        if any(side % shrink for side in info.data.get("size", ())):
            raise ValueError("it does not divide the size")
        return shrink


def reading_of(document: Mapping[str, Any]) -> ImageReading:
    """The reading in the entry of a checkpoint.

    Raises:
        ValueError: it is none.
    """
    try:
        return ImageReading.model_validate(dict(document))
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg'].lower()}") from None


def image_pixels(image: Path | Image.Image, reading: ImageReading) -> Tensor:
    """The pixels of one image, (H, W, C) uint8: those that training would have read of the same file.

    Args:
        image: a file, or an image of Pillow, which stays as it is.
        reading: that of the training images.

    Raises:
        DataError: it is no image, damaged, too large, or has more than 8 bits and no image of the training set had.

    >>> from PIL import Image
    >>> image_pixels(Image.new("RGB", (6, 4), "white"), ImageReading(size=(2, 2), channels=1)).flatten()
    tensor([255, 255, 255, 255], dtype=torch.uint8)
    """
    from PIL import Image

    name = str(image) if isinstance(image, Path) else "The image"
    try:
        with no_alarm():
            if not isinstance(image, Path):
                return _pixels(image.copy(), reading)
            if image.exists() and not image.is_file():  # a pipe that nobody writes to would be waited for
                raise ValueError("it is no file")
            header(image)  # says if it is too large
            with Image.open(image) as opened:
                return _pixels(opened, reading)
    except _TooDeep:
        raise DataError(
            f"{name} has more than 8 bits, and no training image had; save it with 8 bits, as they were."
        ) from None
    except FileNotFoundError:
        raise DataError(f"There is no file {name}; name an image that is there.") from None
    except MemoryError:
        raise DataError(f"{name} is too large for the memory of this machine; make it smaller.") from None
    except Exception as error:  # decoders raise whatever a damaged file leads them to
        reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        raise DataError(f"{name} is not a readable image ({reason}).") from error


class _TooDeep(ValueError):
    pass


class _Bounded(Depth):
    """The range of the training images, whose ends are what values beyond it become."""

    def _block_to_bytes(self, values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        if not np.isfinite(values).all():
            raise ValueError("it holds values that are not finite")
        exact = values.astype(np.int64 if self.whole and values.dtype.kind in "iu" else np.float64)
        return super()._block_to_bytes(exact.clip(self.low, self.high).astype(np.int64 if self.whole else np.float64))


def _pixels(image: Image.Image, reading: ImageReading) -> Tensor:
    if is_deep(image.mode) and reading.depth is None:
        raise _TooDeep
    depth = reading.depth and _Bounded(reading.depth.low, reading.depth.high, reading.depth.whole)
    resizing = Resizing(reading.size, reading.resize, reading.shrink)
    pixels = pixels_of(image, resizing, grey=reading.channels == 1, depth=depth or None)
    return torch.from_numpy(np.array(pixels))
