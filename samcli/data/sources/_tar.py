"""The members of a tar archive that is not compressed: where each lies, so that any of them can be read by itself."""

from __future__ import annotations

import io
import os
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from samcli.errors import DataError

_BLOCK = 512  # bytes of a header, of which all else are multiples
_LARGEST_HEADER = 2**20  # bytes of a long name, or of what POSIX adds to a header
_ZEROS = bytes(2**20)
_COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
}


class Member(NamedTuple):
    r"""A regular file in an archive.

    Attributes:
        name: its path there; bytes that are no UTF-8 are written as they are in Python, `\xe9`.
        offset: the bytes of the archive before its content.
        size: the bytes of its content.
    """

    name: str
    offset: int
    size: int


def members(path: Path, passed_over: Counter[str]) -> Iterator[Member]:
    """The regular files of an archive in their order; nothing is unpacked, and only headers are read.

    The archive must be whole up to the zeros that end it: what a reader takes for the end without them may be the place
    where a copy broke off.

    Args:
        path: the archive.
        passed_over: is told how many links, devices and the like there are.

    Raises:
        DataError: it is no archive, compressed, cut off or damaged.
        OSError: it cannot be read.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile(suffix=".tar") as file:
    ...     with tarfile.open(file.name, "w") as tar:
    ...         info = tarfile.TarInfo("a/b.cls")
    ...         info.size = 2
    ...         tar.addfile(info, io.BytesIO(b"17"))
    ...     list(members(Path(file.name), Counter()))
    [Member(name='a/b.cls', offset=512, size=2)]
    """
    with _Bounded(path) as file:
        end = os.fstat(file.fileno()).st_size
        _check_begin(path, file, end)
        slow: tarfile.TarFile | None = None
        at = 0
        while any(block := os.pread(file.fileno(), _BLOCK, at)):
            # what only the standard library knows of: long names, sizes from 8 GiB, POSIX attributes, links
            plain = None if slow is not None and slow.pax_headers else _plain(block)
            if plain is not None:
                member, after = Member(plain[0], at + _BLOCK, plain[1]), at + _BLOCK + _padded(plain[1])
            else:
                slow = slow or _opened(path, file)
                info = _info(path, slow, file, at)
                member, after = Member(info.name, info.offset_data, info.size), slow.offset
                if info.issparse():
                    raise DataError(f"{path}: {info.name} is stored with holes; write the shard without --sparse.")
            if member.size < 0 or after <= at:
                raise _damaged(path, at)
            if after > end:
                raise DataError(
                    f"{path} is cut off: {member.name} ends beyond its {end:,} bytes; copy it again, or write it anew."
                )
            if plain is not None or info.isreg():
                yield member
            elif not info.isdir():
                passed_over["link" if info.islnk() or info.issym() else "no regular file"] += 1
            at = after
        _check_end(path, file, at, end)


def _plain(block: bytes) -> tuple[str, int] | None:
    """Name and size in the header of a regular file; None for a header that takes more than a look.

    It takes a third of the time of the standard library, which reads all fields.
    """
    if len(block) < _BLOCK or block[156] not in b"0\0" or block[345]:
        return None
    name, size, told = block[:100].partition(b"\0")[0], block[124:136].strip(b" \0"), block[148:156].strip(b" \0")
    if not name or name.endswith(b"/") or not size.isdigit() or not told.isdigit():
        return None
    try:
        if int(told, 8) != sum(block) - sum(block[148:156]) + 8 * 0x20:  # its own field counts as spaces
            return None
        return name.decode("utf-8", "backslashreplace"), int(size, 8)
    except ValueError:
        return None


def _padded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


class _Bounded(io.FileIO):
    """A file of which the standard library reads no more at once than a header takes."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "rb")

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or not 0 <= size <= _LARGEST_HEADER:
            raise tarfile.ReadError("a header is too large")
        return super().read(size) or b""


def _opened(path: Path, file: _Bounded) -> tarfile.TarFile:
    file.seek(0)
    try:
        return tarfile.TarFile(fileobj=file, encoding="utf-8", errors="backslashreplace")
    except (tarfile.TarError, ValueError, RecursionError) as error:
        raise _damaged(path, 0) from error


def _info(path: Path, tar: tarfile.TarFile, file: _Bounded, at: int) -> tarfile.TarInfo:
    """The member whose header begins at a place, as the standard library reads it."""
    file.seek(at)
    try:
        return tarfile.TarInfo.fromtarfile(tar)
    except (tarfile.TarError, ValueError, RecursionError) as error:
        raise _damaged(path, at) from error


def _damaged(path: Path, at: int) -> DataError:
    return DataError(
        f"{path} is damaged: there is no header of a file at byte {at:,}; copy the archive again, or write it anew."
    )


def _check_begin(path: Path, file: _Bounded, end: int) -> None:
    """Refuse what is no archive by its first bytes.

    Raises:
        DataError: it is none.
    """
    first = os.pread(file.fileno(), _BLOCK, 0)
    for magic, name in _COMPRESSED.items():
        if first.startswith(magic):
            raise DataError(
                f"{path} is compressed ({name}), and only a plain tar can be read from the middle; uncompress it: "
                "images are small already."
            )
    if not end:
        raise DataError(f"{path} is empty; copy the archive again, or take it away.")
    if any(first) and _plain(first) is None:
        try:
            tarfile.TarInfo.frombuf(first, "utf-8", "backslashreplace")
        except (tarfile.TarError, ValueError):
            raise DataError(f"{path} is no tar archive; give a folder of .tar files as wds:PATH.") from None


def _check_end(path: Path, file: _Bounded, at: int, end: int) -> None:
    """Refuse an archive without the zeros that end it, or with something behind them.

    Raises:
        DataError: it is such a one.
    """
    if at == end:
        raise DataError(
            f"{path} lacks the zeros that end an archive, so that it may be cut off; copy it again, or write it anew "
            "and close it."
        )
    for start in range(at, end, len(_ZEROS)):
        block = os.pread(file.fileno(), len(_ZEROS), start)
        if block != _ZEROS[: len(block)]:
            raise DataError(
                f"{path} goes on behind its end, as where archives were joined by cat; keep them in files of their own."
            )
