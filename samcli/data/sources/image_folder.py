"""A user's own folder of images, one subfolder a class."""

from __future__ import annotations

import itertools
import os
import struct
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from torch import Tensor

from samcli.data.base import DATASETS, DatasetKind, Source
from samcli.data.split import split_source
from samcli.errors import DataError
from samcli.registry import option
from samcli.tasks import Classification

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm")
DEFAULT_SIZE = 64  # pixels, where the images differ in size and none is asked for
_ORIENTATION = 0x0112  # the EXIF tag; 5 to 8 mean that width and height are swapped
_CHUNK = 64  # images for a thread at a time
_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error)  # what Pillow's decoders raise


@DATASETS.register("image-folder:")
@dataclass(frozen=True)
class ImageFolder(DatasetKind):
    """Your own images: PATH/train/CLASS/*.jpg and PATH/test/CLASS/*.jpg, or PATH/CLASS/*.jpg split 80 to 20.

    Images that are all grey stay grey; otherwise all become RGB. Where they share one size they keep it; otherwise,
    or with `size`, the shorter side is brought to that many pixels and the middle square is taken.
    """

    ARGUMENT: ClassVar[str] = "PATH"
    title: ClassVar[str] = "the image folder"

    argument: str
    _: KW_ONLY
    size: int | None = option(
        None, "side of the images in pixels; null: their own if they share one, else 64", minimum=1
    )
    split_seed: int = option(0, "decides which fifth is the test part, in a folder without one", minimum=0)

    @staticmethod
    def canonical(argument: str) -> str:
        """The absolute path: the same folder from wherever it is named, and never another one."""
        return str(Path(argument).expanduser().resolve())

    def source(self, data_dir: Path) -> Source:
        root = Path(self.argument).expanduser()
        if not root.is_dir():
            raise DataError(f"There is no folder {root.absolute()}; give the folder of images as image-folder:PATH.")
        parts = [name for name in ("train", "test") if (root / name).is_dir()]
        if len(parts) == 1:
            missing = "test" if parts == ["train"] else "train"
            raise DataError(
                f"{root} has {parts[0]}/ and no {missing}/; add that folder, or put the class folders into "
                f"{root} itself to have them split."
            )
        listed = [_list_images(root / part) for part in parts] or [_list_images(root)]
        names = tuple(sorted(listed[0]))
        if sorted(listed[-1]) != list(names):
            differing = ", ".join(sorted(set(listed[0]) ^ set(listed[-1])))
            raise DataError(f"{root}/train and {root}/test must have the same classes; only one has: {differing}.")
        files = [path for classes in listed for name in names for path in classes[name]]
        counts = [len(classes[name]) for classes in listed for name in names]
        targets = torch.arange(len(names)).repeat(len(listed)).repeat_interleave(torch.tensor(counts))
        inputs, task = read_images(files, self.size), Classification(len(names))
        if not parts and len(files) < 5 * len(names):
            raise DataError(
                f"{root} has {len(files)} images, too few to split off a test part; add more, or make the folders "
                f"{root}/train and {root}/test."
            )
        if not parts:
            return split_source(inputs, targets, task, names, self.split_seed)
        n = sum(counts[: len(names)])
        return Source(inputs[:n], targets[:n], inputs[n:], targets[n:], task, names)


def _list_images(folder: Path) -> dict[str, list[Path]]:
    """The image files of each class, sorted; hidden files and folders, which systems leave behind, are no images."""
    classes = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if len(classes) < 2:
        raise DataError(
            f"{folder} has {len(classes)} class folders and two are needed; lay the images out as {folder}/CLASS/*.jpg."
        )
    listed = {}
    for path in classes:
        listed[path.name] = sorted(
            file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and not file.name.startswith(".")
        )
        if not listed[path.name]:
            raise DataError(
                f"The class folder {path} has no images; add some ({', '.join(s[1:] for s in SUFFIXES)}) "
                "or delete the folder."
            )
    return listed


def read_images(files: Sequence[Path], size: int | None) -> Tensor:
    """Decode image files into one tensor, (N, H, W, C) uint8, with C = 1 if all are grey and 3 otherwise.

    A first pass reads sizes and modes from the headers, so that a folder of large photographs is never in memory at
    its full size.

    Raises:
        DataError: a file is no image, or damaged; the message names it.

    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "grey.png"
    ...     Image.new("L", (3, 2), color=7).save(path)
    ...     read_images([path], size=None).shape
    torch.Size([1, 2, 3, 1])
    """
    chunks = [range(start, min(start + _CHUNK, len(files))) for start in range(0, len(files), _CHUNK)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        headers = itertools.chain.from_iterable(pool.map(lambda chunk: [_header(files[i]) for i in chunk], chunks))
        sides, greys = zip(*headers, strict=True)
        if size is None and len(set(sides)) > 1:
            size = DEFAULT_SIZE
        width, height = (size, size) if size is not None else sides[0]
        all_grey = all(greys)
        images = np.empty((len(files), height, width, 1 if all_grey else 3), dtype=np.uint8)

        def decode(chunk: range) -> None:
            for i in chunk:
                images[i] = _pixels(files[i], size, grey=all_grey)

        for _ in pool.map(decode, chunks):  # raises what a thread raised
            pass
    return torch.from_numpy(images)


def _header(path: Path) -> tuple[tuple[int, int], bool]:
    """Width and height as shown, and whether the image is grey."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            width, height = image.size
            lies_on_its_side = image.getexif().get(_ORIENTATION, 1) >= 5
            is_grey = image.mode in ("1", "L", "LA", "I", "F") or image.mode.startswith("I;16")
            return (height, width) if lies_on_its_side else (width, height), is_grey
    except _UNREADABLE as error:
        raise _unreadable(path, error) from error


def _pixels(path: Path, size: int | None, *, grey: bool) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    """The pixels of one image, (H, W, C) uint8, turned upright, and brought to a square of the size, if any."""
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as image:
            ImageOps.exif_transpose(image, in_place=True)
            upright = _in_mode(image, "L" if grey else "RGB")
    except _UNREADABLE as error:
        raise _unreadable(path, error) from error
    if size is not None and upright.size != (size, size):
        upright = ImageOps.fit(upright, (size, size), Image.Resampling.BILINEAR)
    pixels = np.asarray(upright)
    return pixels[:, :, None] if grey else pixels


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    """The decoded image in 8 bits; those of 16 bits are scaled, which Pillow would clip at 255."""
    from PIL import Image

    image.load()  # an image already in the mode is not copied, and must outlive its file
    if image.mode == "I" or image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8))
    return image if image.mode == mode else image.convert(mode)


def _unreadable(path: Path, error: Exception) -> DataError:
    reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
    return DataError(f"{path} is not a readable image ({reason}); repair it or take it out of the folder.")
