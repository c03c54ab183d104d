"""Image files decoded into one tensor of 8 bits."""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from samcli.data.sources._depth import Depth
from samcli.data.sources._of_each import of_each
from samcli.errors import DataError

if TYPE_CHECKING:
    from PIL import Image

DEFAULT_SIZE = 64  # pixels, where the images differ in size and none is asked for
# A scan of 14000 × 14000 is read, and takes up to three gigabytes while it is; a file of a few bytes that says it has
# more pixels than any camera must not take the memory of the machine.
MAX_PIXELS = 2**28
LARGE = 2**26  # pixels, from which on one image is decoded at a time
_ALARM = 2 * 89_478_485  # pixels that Pillow refuses to read by itself
_ORIENTATION = 0x0112  # the EXIF tag; 5 to 8 mean that width and height are swapped


@dataclass(frozen=True)
class Header:
    """What is known of an image without decoding it.

    Attributes:
        sides: width and height as shown.
        is_grey: whether it has no colours.
        is_deep: whether it is grey of more than 8 bits, see `Depth`.
        is_cut: whether it has colours of 16 bits, of which Pillow reads the upper 8.
        has_alpha: whether it may be transparent somewhere.
        has_frames: whether more than one picture is in it.
    """

    sides: tuple[int, int]
    is_grey: bool
    is_deep: bool
    is_cut: bool
    has_alpha: bool
    has_frames: bool


def read_images(files: Sequence[Path], size: int | None) -> tuple[Tensor, tuple[str, ...]]:
    """The images of `decode_images`, and what was done to them.

    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "grey.png"
    ...     Image.new("L", (3, 2), color=7).save(path)
    ...     images, notes = read_images([path], size=4)
    >>> images.shape, notes
    (torch.Size([1, 4, 4, 1]), ('brought to 4×4',))
    """
    images, notes, _ = decode_images(files, size)
    return images, notes


def decode_images(files: Sequence[Path], size: int | None) -> tuple[Tensor, tuple[str, ...], Depth | None]:
    """Decode image files into one tensor, (N, H, W, C) uint8, with C = 1 if all are grey and 3 otherwise.

    A first pass reads sizes and modes from the headers, so that a folder of large photographs is never in memory at
    its full size. Where there are deep images, a second one finds the range of their values, see `Depth`.

    Returns:
        The images, what was done to them, in clauses, and the range of the deep ones, if there are any.

    Raises:
        DataError: a file is no image, or damaged, or too large; the message names it.
    """
    with without_alarm(), ThreadPoolExecutor(os.cpu_count()) as pool:
        headers = of_each(pool, _header, files)
        sides = {header.sides for header in headers}
        if size is None and len(sides) > 1:
            size = DEFAULT_SIZE
        grey = all(header.is_grey for header in headers)
        depth = _depth(pool, [file for file, header in zip(files, headers, strict=True) if header.is_deep])
        _check_cut(pool, [file for file, header in zip(files, headers, strict=True) if header.is_cut])
        width, height = (size, size) if size is not None else headers[0].sides
        images = _room(len(files), height, width, 1 if grey else 3)

        def decode(i: int) -> None:
            images[i] = _pixels(files[i], None if size is None else (size, size), grey=grey, depth=depth)

        of_each(pool, decode, range(len(files)), files)
    return torch.from_numpy(images), tuple(_notes(headers, size, depth)), depth


def _notes(headers: Sequence[Header], size: int | None, depth: Depth | None) -> Iterator[str]:
    if size is not None and any(header.sides != (size, size) for header in headers):
        yield f"brought to {size}×{size}"
    if depth is not None:
        count = sum(header.is_deep for header in headers)
        yield f"{count:,} of more than 8 bits (values from {depth.low:g} to {depth.high:g} in 8)"
    if alpha := sum(header.has_alpha for header in headers):
        yield f"{alpha:,} with transparency, laid on white"
    if frames := sum(header.has_frames for header in headers):
        yield f"{frames:,} with several frames, of which the first is taken"


def _header(path: Path) -> Header:
    from PIL import Image

    with Image.open(path) as image, _one_at_a_time(image):
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise ValueError(f"{width} × {height} pixels are more than the {MAX_PIXELS:,} that are read of one image")
        is_deep, tiles = _is_deep(image.mode), str(getattr(image, "tile", ""))
        lies_on_its_side = image.getexif().get(_ORIENTATION, 1) >= 5  # decodes a PNG
        return Header(
            sides=(height, width) if lies_on_its_side else (width, height),
            is_grey=image.mode in ("1", "L", "LA", "La") or is_deep,
            is_deep=is_deep,
            is_cut=";16" in tiles and not is_deep,
            has_alpha=image.has_transparency_data and not is_deep,
            has_frames=_has_frames(image),
        )


def check_header(path: Path) -> None:
    """Refuse an image file that says of itself that it is too large.

    Raises:
        ValueError: it is.
        OSError: it is no image.
    """
    _header(path)


def _has_frames(image: Image.Image) -> bool:
    with contextlib.suppress(Exception):  # later frames that are damaged are nobody's concern
        return bool(getattr(image, "is_animated", False))
    return False


def _is_deep(mode: str) -> bool:
    return mode in ("I", "F") or mode.startswith("I;16")


def _depth(pool: ThreadPoolExecutor, files: Sequence[Path]) -> Depth | None:
    """The range of deep images; None if there are none."""
    from PIL import Image

    def of_one(path: Path) -> Depth:
        with Image.open(path) as image, _one_at_a_time(image):
            return Depth.of(np.asarray(image))

    return functools.reduce(Depth.__or__, of_each(pool, of_one, files)) if files else None


def _check_cut(pool: ThreadPoolExecutor, files: Sequence[Path]) -> None:
    """Refuse colours of 16 bits that use a part of their range: Pillow reads the upper 8 bits alone.

    Raises:
        DataError: no image reaches half of the range.
    """
    from PIL import Image

    def largest(path: Path) -> int:
        with Image.open(path) as image, _one_at_a_time(image):
            return int(np.asarray(image.convert("RGB")).max())

    if files and max(of_each(pool, largest, files)) < 128:
        raise DataError(
            f"{files[0]} has colours of 16 bits, of which the upper 8 are read, and no image of the folder uses half "
            "of their range: much of the picture would be lost. Save such images with 8 bits."
        )


def _room(*shape: int) -> npt.NDArray[np.uint8]:
    """Memory for all images.

    Raises:
        DataError: the machine has less.
    """
    needed = float(np.prod([float(side) for side in shape]))
    has = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else np.inf
    try:
        if needed < has:
            return np.empty(shape, np.uint8)
    except MemoryError:
        pass
    raise DataError(
        f"{shape[0]:,} images of {shape[2]}×{shape[1]} pixels take {needed / 2**30:,.0f} GiB of memory, more than "
        "there is; --set dataset.size=224 brings them to squares of 224."
    )


def _pixels(path: Path, sides: tuple[int, int] | None, *, grey: bool, depth: Depth | None) -> npt.NDArray[np.uint8]:
    from PIL import Image

    with Image.open(path) as image, _one_at_a_time(image):
        return pixels_of(image, sides, grey=grey, depth=depth)


def pixels_of(
    image: Image.Image, sides: tuple[int, int] | None, *, grey: bool, depth: Depth | None
) -> npt.NDArray[np.uint8]:
    """One image of 8 bits, (H, W, 1 or 3), turned upright, and brought to height and width, if any, by its middle.

    Raises:
        Exception: whatever a decoder raises for a file that is damaged.
    """
    from PIL import Image, ImageOps

    if sides is not None and image.width * image.height > _ALARM:
        image.draft(None, (2 * max(sides), 2 * max(sides)))  # a JPEG is decoded at a fraction of its size
    ImageOps.exif_transpose(image, in_place=True)
    upright = _in_mode(image, "L" if grey else "RGB", depth)
    if sides is not None and upright.size != sides[::-1]:
        upright = ImageOps.fit(upright, sides[::-1], Image.Resampling.BILINEAR)
    array = np.asarray(upright)
    return array[:, :, None] if grey else array


def _in_mode(image: Image.Image, mode: str, depth: Depth | None) -> Image.Image:
    """The decoded image in 8 bits, grey or in colours; what is transparent lies on white."""
    from PIL import Image

    image.load()  # an image already in the mode is not copied, and must outlive its file
    if depth is not None and _is_deep(image.mode):
        image = Image.fromarray(depth.to_bytes(np.asarray(image)))
    elif image.has_transparency_data:
        image = image if image.mode == "RGBA" else image.convert("RGBA")
        drawn = image.convert(mode)
        white = Image.new(mode, image.size, "white")
        white.paste(drawn, mask=image.getchannel("A"))
        return white
    return image if image.mode == mode else image.convert(mode)


@contextlib.contextmanager
def without_alarm() -> Iterator[None]:
    """Without Pillow's own bound on pixels, which warns of a large scan, and refuses one twice as large."""
    from PIL import Image

    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


_large = threading.Lock()


def _one_at_a_time(image: Image.Image) -> contextlib.AbstractContextManager[object]:
    return _large if image.width * image.height > LARGE else contextlib.nullcontext()
