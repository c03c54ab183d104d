"""One stored image: what its header tells, and its pixels in 8 bits, upright and on white."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from samcli.data.sources._depth import Depth
from samcli.data.sources._resized import Resizing, shrunk
from samcli.data.sources._stored import StoredImage, opened

if TYPE_CHECKING:
    from PIL import Image

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


def header(stored: StoredImage) -> Header:
    """The header of a stored image, which nothing is decoded for but a PNG that lies on its side.

    Raises:
        ValueError: it has too many pixels.
        OSError: it is no image that Pillow knows.
    """
    from PIL import Image

    with opened(stored) as file, Image.open(file) as image, one_at_a_time(image):
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise ValueError(f"{width} × {height} pixels are more than the {MAX_PIXELS:,} that are read of one image")
        deep, tiles = is_deep(image.mode), str(getattr(image, "tile", ""))
        lies_on_its_side = image.getexif().get(_ORIENTATION, 1) >= 5  # decodes a PNG
        return Header(
            sides=(height, width) if lies_on_its_side else (width, height),
            is_grey=image.mode in ("1", "L", "LA", "La") or deep,
            is_deep=deep,
            is_cut=";16" in tiles and not deep,
            has_alpha=image.has_transparency_data and not deep,
            has_frames=_has_frames(image),
        )


def _has_frames(image: Image.Image) -> bool:
    with contextlib.suppress(Exception):  # later frames that are damaged are nobody's concern
        return bool(getattr(image, "is_animated", False))
    return False


def is_deep(mode: str) -> bool:
    """Whether images of this mode of Pillow are grey of more than 8 bits.

    >>> is_deep("I;16"), is_deep("L")
    (True, False)
    """
    return mode in ("I", "F") or mode.startswith("I;16")


def pixels(stored: StoredImage, resizing: Resizing, *, grey: bool, depth: Depth | None) -> npt.NDArray[np.uint8]:
    """The pixels of a stored image, see `pixels_of`.

    Raises:
        Exception: whatever a decoder raises for a file that is damaged.
    """
    from PIL import Image

    with opened(stored) as file, Image.open(file) as image, one_at_a_time(image):
        return pixels_of(image, resizing, grey=grey, depth=depth)


def pixels_of(image: Image.Image, resizing: Resizing, *, grey: bool, depth: Depth | None) -> npt.NDArray[np.uint8]:
    """One image of 8 bits, (H, W, 1 or 3), turned upright and brought to the size that is asked for.

    Raises:
        Exception: whatever a decoder raises for a file that is damaged.
    """
    from PIL import ImageOps

    if resizing.sides is not None and image.width * image.height > _ALARM:
        side = 2 * max(resizing.sides)
        image.draft(None, (side, side))  # a JPEG is decoded at a fraction of its size
    ImageOps.exif_transpose(image, in_place=True)
    array = np.asarray(resizing.resampled(_in_mode(image, "L" if grey else "RGB", depth)))
    return shrunk(array[:, :, None] if grey else array, resizing.shrink)


def _in_mode(image: Image.Image, mode: str, depth: Depth | None) -> Image.Image:
    """The decoded image in 8 bits, grey or in colours; what is transparent lies on white."""
    from PIL import Image

    image.load()  # an image already in the mode is not copied, and must outlive its file
    if depth is not None and is_deep(image.mode):
        image = Image.fromarray(depth.to_bytes(np.asarray(image)))
    elif image.has_transparency_data:
        image = image if image.mode == "RGBA" else image.convert("RGBA")
        drawn = image.convert(mode)
        white = Image.new(mode, image.size, "white")
        white.paste(drawn, mask=image.getchannel("A"))
        return white
    return image if image.mode == mode else image.convert(mode)


class _Alarm:
    """Pillow's own bound on pixels, which warns of a large scan, and refuses one twice as large."""

    def __init__(self) -> None:
        self._lock, self._off = threading.Lock(), 0
        self._bound: int | None = None

    def silence(self, by: int) -> None:
        """One block more or less that wants none of it: it is that of Pillow where there is no such block."""
        from PIL import Image

        with self._lock:
            if not self._off:
                self._bound = Image.MAX_IMAGE_PIXELS
            self._off += by
            Image.MAX_IMAGE_PIXELS = None if self._off else self._bound


_alarm = _Alarm()


@contextlib.contextmanager
def no_alarm() -> Iterator[None]:
    """Within the block, whichever thread is in one, Pillow has no bound on pixels."""
    _alarm.silence(+1)
    try:
        yield
    finally:
        _alarm.silence(-1)


_large = threading.Lock()


def one_at_a_time(image: Image.Image) -> contextlib.AbstractContextManager[object]:
    """A block that large images enter one after the other."""
    return _large if image.width * image.height > LARGE else contextlib.nullcontext()
