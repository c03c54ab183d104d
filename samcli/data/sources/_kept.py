"""Decoded images kept in a file, which is mapped: only the pages are read whose images are asked for."""

from __future__ import annotations

import functools
import hashlib
import json
import math
import os
import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import numpy as np
import torch
from torch import Tensor

from samcli.data.reading import tell
from samcli.data.sources._depth import Depth
from samcli.data.sources._images import ImageFiles
from samcli.data.sources._resized import Resizing
from samcli.data.sources._stored import StoredImage
from samcli.errors import DataError

VERSION = 1  # of the file, and of what decoding makes of images
HEADER = 4096  # bytes before the first pixel: a line of JSON, and spaces
_BLOCK = 2**25  # bytes of pixels that are decoded and written at a time
_LEFT_BEHIND = 60.0  # seconds without a block, after which a file that nobody holds is one that nobody writes


@dataclass(frozen=True)
class KeptImages:
    """The decoded images of a folder in a file.

    Attributes:
        path: the file.
        shape: N, H, W and C.
        depth: the range of the images of more than 8 bits, if there are any.
        notes: what was done to the images, in clauses.
    """

    path: Path
    shape: tuple[int, ...]
    depth: Depth | None
    notes: tuple[str, ...]

    @staticmethod
    def of(files: Sequence[StoredImage], resizing: Resizing, digest: str, folder: Path) -> KeptImages:
        """The images of a folder, decoded now if no process has done it before.

        The file is named by all that its content depends on, the digest of the images, how they are brought to size,
        and the version of the decoder. It gets that name once it is complete: of two processes that make it at the
        same time the last one's stays, and both have the same bytes.

        Args:
            files: in the order of their classes and parts.
            resizing: what is done to them.
            digest: that of the folder they are in.
            folder: where the file lies.

        Raises:
            DataError: an image is damaged, or the file cannot be written.
        """
        from PIL import __version__ as decoder

        key = repr((VERSION, digest, len(files), resizing, decoder))
        path = folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.images"
        found = _opened(path, key)
        if found is None:
            begun, images = time.monotonic(), ImageFiles.of(files, resizing)
            _write(path, key, images)
            _mapped.cache_clear()  # what was there before was another file
            found = _opened(path, key)
            if found is None:
                raise DataError(f"{path} is not what was just written to it; choose another folder with --cache-dir.")
            size = path.stat().st_size / 2**30
            tell(f"{len(files):,} images decoded into {path} ({size:.2f} GiB, {time.monotonic() - begun:.1f} s).")
        return found

    def take(self, indices: Tensor, threads: int = 1) -> Tensor:
        """Some of the images, (B, H, W, C) uint8."""
        del threads  # there is nothing to decode
        return _mapped(self.path, self.shape).index_select(0, indices)


@functools.lru_cache(maxsize=8)
def _mapped(path: Path, shape: tuple[int, ...]) -> Tensor:
    """The pixels; a page is read when it is looked at, and the system may drop it again."""
    return torch.from_numpy(np.memmap(path, np.uint8, mode="c", offset=HEADER, shape=shape))


def _opened(path: Path, key: str) -> KeptImages | None:
    """The images of a file; None if there is none, or it is not complete, or of something else."""
    try:
        with path.open("rb") as file:
            told = json.loads(file.read(HEADER))
            shape = tuple(int(side) for side in told["shape"])
            depth = told["depth"] and Depth(**told["depth"])
            whole = os.fstat(file.fileno()).st_size == HEADER + math.prod(shape)
            notes = tuple(map(str, told["notes"]))
        return KeptImages(path, shape, depth, notes) if whole and told["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(path: Path, key: str, images: ImageFiles) -> None:
    """Decode the images into the file, some at a time.

    Raises:
        DataError: an image is damaged, or there is no room for the file.
    """
    depth = images.depth and asdict(images.depth)
    header = json.dumps({"key": key, "shape": images.shape, "depth": depth, "notes": images.notes}).encode()
    if len(header) > HEADER:
        raise DataError(f"What there is to say of the images for {path} is too long; leave --cache-dir out.")
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(path.parent)
        with temporary.open("xb") as file:
            _holds(file)
            if hasattr(os, "posix_fallocate"):  # that there is no room is found out at once
                os.posix_fallocate(file.fileno(), 0, HEADER + math.prod(images.shape))
            file.write(header.ljust(HEADER))
            for block in images.blocks(max(1, _BLOCK // math.prod(images.shape[1:]))):
                file.write(block.data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        needed = math.prod(images.shape) / 2**30
        raise DataError(
            f"{path} cannot be written ({error.strerror}; {needed:.1f} GiB are needed); choose another folder with "
            "--cache-dir, or set dataset.stream=true."
        ) from error
    finally:
        with suppress(OSError):  # it has its name
            temporary.unlink()


def _holds(file: IO[bytes]) -> bool:
    """Whether the file is this process's alone from now on, until it is closed or the process ends, killed or not."""
    try:
        import fcntl
    except ImportError:  # Windows
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # another's, or on a disk that has no locks
        return False
    return True


def _remove_leftovers(folder: Path) -> None:
    """Remove what processes left that were killed while they wrote: hidden files, each as large as all images.

    Who writes one holds it, on any host whose disk has locks; on others a block is written within the minute.
    """
    for left in folder.glob(".*.images.*.tmp"):
        with suppress(OSError), left.open("rb") as file:  # gone already, or not ours to remove
            if time.time() - os.fstat(file.fileno()).st_mtime > _LEFT_BEHIND and _holds(file):
                left.unlink()
