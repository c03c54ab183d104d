"""Stored images as images of 8 bits that all have one shape."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from samcli.data.lazy import cores
from samcli.data.reading import reading
from samcli.data.sources._decode import Header, header, no_alarm, one_at_a_time, pixels
from samcli.data.sources._depth import Depth
from samcli.data.sources._of_each import of_each
from samcli.data.sources._resized import Resizing
from samcli.data.sources._stored import StoredImage, opened
from samcli.errors import DataError

DEFAULT_SIZE = 64  # pixels, where the images differ in size and none is asked for


@dataclass(frozen=True)
class ImageFiles:
    """Stored images, and all that decoding one of them has to know of the others.

    Attributes:
        files: the files, or stretches of files.
        resizing: with sides where the images have to be brought to one size.
        grey: whether all are grey.
        depth: the range of those of more than 8 bits, if there are any.
        shape: of all images: N, H, W, and C = 1 if all are grey and 3 otherwise.
        notes: what is done to them, in clauses.
    """

    files: tuple[StoredImage, ...]
    resizing: Resizing
    grey: bool
    depth: Depth | None
    shape: tuple[int, ...]
    notes: tuple[str, ...]

    @staticmethod
    def of(files: Sequence[StoredImage], resizing: Resizing) -> ImageFiles:
        """Look at image files.

        A first pass reads sizes and modes from the headers, so that a folder of large photographs is never in memory
        at its full size. Where there are deep images, a second one finds the range of their values, see `Depth`.

        Raises:
            DataError: a file is no image, or too large; the message names it.
            ConfigError: `shrink` does not divide their sides.
        """
        with no_alarm(), ThreadPoolExecutor(os.cpu_count()) as pool:
            headers = of_each(pool, header, files)
            sides = {one.sides for one in headers}
            if resizing.sides is None and len(sides) > 1:
                resizing = replace(resizing, sides=(DEFAULT_SIZE, DEFAULT_SIZE))
            depth = _depth(pool, [file for file, one in zip(files, headers, strict=True) if one.is_deep])
            _check_cut(pool, [file for file, one in zip(files, headers, strict=True) if one.is_cut])
        grey = all(one.is_grey for one in headers)
        first = headers[0].sides[::-1] if len(sides) == 1 else None
        height, width = resizing.shape(*(first or (0, 0)))
        notes = (*resizing.notes(first, (height, width)), *_notes(headers, depth))
        return ImageFiles(tuple(files), resizing, grey, depth, (len(files), height, width, 1 if grey else 3), notes)

    def take(self, indices: Tensor, threads: int = 1) -> Tensor:
        """Some of the images, (B, H, W, C) uint8.

        Raises:
            DataError: a file is damaged or is not there any more; the message names it.
        """
        made = np.empty((len(indices), *self.shape[1:]), np.uint8)
        self._decode(indices.tolist(), made, threads)
        return torch.from_numpy(made)

    def all(self) -> Tensor:
        """All images in memory.

        Raises:
            DataError: a file is damaged, or the machine has not so much memory.
        """
        made = _room(*self.shape)
        with reading(len(self.files)) as advance:
            self._decode(range(len(self.files)), made, cores(), advance)
        return torch.from_numpy(made)

    def blocks(self, size: int) -> Iterator[npt.NDArray[np.uint8]]:
        """All images, so many at a time.

        Raises:
            DataError: a file is damaged.
        """
        with reading(len(self.files)) as advance:
            for start in range(0, len(self.files), size):
                numbers = range(len(self.files))[start : start + size]
                made = np.empty((len(numbers), *self.shape[1:]), np.uint8)
                self._decode(numbers, made, cores(), advance)
                yield made

    def _decode(
        self,
        numbers: Sequence[int],
        into: npt.NDArray[np.uint8],
        threads: int,
        advance: Callable[[int], object] = lambda n: None,
    ) -> None:
        """Decode the images of these numbers, one after the other into an array."""
        files = [self.files[number] for number in numbers]

        def decode(i: int) -> None:
            into[i] = pixels(files[i], self.resizing, grey=self.grey, depth=self.depth)

        with no_alarm(), ThreadPoolExecutor(threads) if threads > 1 else nullcontext() as pool:
            of_each(pool, decode, range(len(files)), files, advance)


def read_images(files: Sequence[StoredImage], size: int | None) -> tuple[Tensor, tuple[str, ...]]:
    """Decode image files into one tensor of squares, or of their own size: the images, and what was done to them.

    Raises:
        DataError: a file is no image, or damaged, or too large; the message names it.

    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "grey.png"
    ...     Image.new("L", (3, 2), color=7).save(path)
    ...     images, notes = read_images([path], size=4)
    >>> images.shape, notes
    (torch.Size([1, 4, 4, 1]), ('brought to 4×4',))
    """
    found = ImageFiles.of(files, Resizing(None if size is None else (size, size)))
    return found.all(), found.notes


def _notes(headers: Sequence[Header], depth: Depth | None) -> Iterator[str]:
    if depth is not None:
        count = sum(header.is_deep for header in headers)
        yield f"{count:,} of more than 8 bits (values from {depth.low:g} to {depth.high:g} in 8)"
    if alpha := sum(header.has_alpha for header in headers):
        yield f"{alpha:,} with transparency, laid on white"
    if frames := sum(header.has_frames for header in headers):
        yield f"{frames:,} with several frames, of which the first is taken"


def _depth(pool: ThreadPoolExecutor, files: Sequence[StoredImage]) -> Depth | None:
    """The range of deep images; None if there are none."""
    from PIL import Image

    def of_one(stored: StoredImage) -> Depth:
        with opened(stored) as file, Image.open(file) as image, one_at_a_time(image):
            return Depth.of(np.asarray(image))

    return functools.reduce(Depth.__or__, of_each(pool, of_one, files)) if files else None


def _check_cut(pool: ThreadPoolExecutor, files: Sequence[StoredImage]) -> None:
    """Refuse colours of 16 bits that use a part of their range: Pillow reads the upper 8 bits alone.

    Raises:
        DataError: no image reaches half of the range.
    """
    from PIL import Image

    def largest(stored: StoredImage) -> int:
        with opened(stored) as file, Image.open(file) as image, one_at_a_time(image):
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
        "there is; --cache-dir DIR keeps them in a file there, or --set dataset.size=224 brings them to squares of 224."
    )
