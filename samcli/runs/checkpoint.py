"""Checkpoints: tensors and plain values only, written atomically, read without running anything.

A checkpoint is a zip archive that `torch.load(path, weights_only=True)` reads. Its comment holds the SHA-256 of all
that stands before it, so that a file of which a single bit has changed is known as damaged.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import torch

from samcli.errors import CheckpointError, UnusableCheckpoint
from samcli.runs.door import opened
from samcli.runs.files import write_atomic

FORMAT = "samcli checkpoint"
VERSION = 1
_DIGEST = b"sha256:"
_COMMENT_BYTES = len(_DIGEST) + 64


def save(path: Path, content: Mapping[str, Any]) -> None:
    """Write a checkpoint; whatever happens meanwhile, the file is the old one or the new one.

    Args:
        path: the file.
        content: tensors and plain values, also in lists and dictionaries.

    Raises:
        ResultsError: it cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(Path(folder, "checkpoint.pt"), {"epoch": 3, "weights": torch.ones(2)})
    ...     load(Path(folder, "checkpoint.pt"))["weights"]
    tensor([1., 1.])
    """
    write_atomic(path, sealed(encode(content)))


def encode(content: Mapping[str, Any]) -> bytes:
    """The bytes of a checkpoint's file, its digest left out.

    >>> encode({"epoch": 3})[:2]  # a zip archive
    b'PK'
    """
    # through memory: torch hides a full disk behind an error of its own
    buffer = io.BytesIO()
    torch.save({"format": FORMAT, "version": VERSION, **content}, buffer)
    return buffer.getvalue()


def sealed(encoded: bytes) -> bytes:
    """The bytes with their digest as the archive's comment, whose length is what a zip archive ends with.

    >>> sealed(encode({"epoch": 3}))[-71:-64]
    b'sha256:'
    """
    comment = _DIGEST + hashlib.sha256(encoded).hexdigest().encode()
    return encoded[:-2] + len(comment).to_bytes(2, "little") + comment


def is_sealed(path: Path) -> bool:
    """Whether a file ends as one that samcli wrote, see `sealed`.

    >>> is_sealed(Path("absent.pt"))
    False
    """
    try:
        with opened(path) as file:
            file.seek(-min(_COMMENT_BYTES, file.seek(0, io.SEEK_END)), io.SEEK_END)
            return file.read(len(_DIGEST)) == _DIGEST
    except OSError:
        return False


def load(path: Path) -> dict[str, Any]:
    """The content of a checkpoint, its tensors on the CPU.

    Raises:
        CheckpointError: it is missing, cannot be read for the moment, or is of a later version.
        UnusableCheckpoint: it is truncated, damaged, of another program, or holds code.

    >>> load(Path("absent.pt"))
    Traceback (most recent call last):
    samcli.errors.CheckpointError: There is no file or folder absent.pt; name a checkpoint, or a folder of runs.
    """
    if path.is_dir():
        raise CheckpointError(f"{path} is a directory; name a checkpoint.pt or a run folder that holds one.")
    try:
        with opened(path) as file:
            # looked at before all of it is read: a file of nothing may have any size
            is_archive = _is_archive(file)
            file.seek(0)
            data = file.read() if is_archive else b""
    except FileNotFoundError:
        if path.name == "checkpoint.pt" and path.parent.is_dir():
            raise CheckpointError(f"There is no checkpoint {path}; a run writes one after its first epoch.") from None
        raise CheckpointError(f"There is no file or folder {path}; name a checkpoint, or a folder of runs.") from None
    except OSError as error:
        raise CheckpointError(f"Cannot read {path} ({error.strerror}); check permissions, then try again.") from error
    if fault := _damage(data):
        raise UnusableCheckpoint(f"{path} {fault}; move its folder away and train the run again.")
    content = _decoded(path, data)
    format_, version = (content.get(key) for key in ("format", "version")) if isinstance(content, dict) else ("", 0)
    if not (isinstance(content, dict) and isinstance(format_, str) and format_ == FORMAT):
        raise UnusableCheckpoint(f"{path} was not written by samcli; name the checkpoint.pt of a run of samcli train.")
    if not (isinstance(version, int) and version == VERSION):  # a tensor equals nothing
        raise CheckpointError(
            f"{path} has format version {version!r:.20}, this samcli reads version {VERSION}; "
            "use the samcli that wrote it."
        )
    return content


def _is_archive(file: BinaryIO) -> bool:
    try:
        return zipfile.is_zipfile(file)
    except zipfile.BadZipFile:  # the end of an archive of several disks
        return False


def _damage(data: bytes) -> str | None:
    """What shows that these are not the bytes that were written, in words that follow the file's name."""
    if not data:
        return "is truncated or no checkpoint at all"
    if data[-_COMMENT_BYTES:].startswith(_DIGEST):
        encoded = data[: -_COMMENT_BYTES - 2] + bytes(2)
        same = sealed(encoded) == data
    else:  # an earlier version's, which has check sums for each of its parts alone, and no comment
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                # torch compresses nothing: what unpacks to more than the file is a bomb
                plain = all(part.compress_type == zipfile.ZIP_STORED for part in archive.infolist())
                same = plain and not archive.comment and archive.testzip() is None
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError):
            same = False
    return None if same else "is damaged: its content does not fit its check sums"


def _decoded(path: Path, data: bytes) -> object:
    try:
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise UnusableCheckpoint(
            f"{path} holds more than tensors and plain values, which samcli does not load since it could run code; "
            "use a checkpoint that samcli wrote."
        ) from error
    except MemoryError:
        raise
    except Exception as error:  # whatever an unpickler stumbles over; the file is foreign, for its check sums are right
        raise UnusableCheckpoint(
            f"{path} cannot be read as a checkpoint; move its folder away and train the run again."
        ) from error
