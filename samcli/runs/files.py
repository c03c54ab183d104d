"""Atomic files: a reader sees the old content or the new one, never a part of either."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from samcli.errors import ResultsError


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path for writers that need a file of their own, moved to `path` when the block ends well.

    The temporary file `.NAME.HEX.tmp` stands in the same folder, because a rename is atomic within one file system
    only. It is flushed to the disk before the rename, and removed if the block raises anything, Ctrl-C included; only
    a killed process leaves one behind, and no reader looks at such a name. Missing folders are made.

    Args:
        path: the file to replace or to make.

    Yields:
        The path to write to; there is no file yet.

    Raises:
        ResultsError: the disk is full, or the folder is not writable.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_path(Path(folder, "picture.png")) as temporary:
    ...         _ = temporary.write_bytes(b"drawn")
    ...     Path(folder, "picture.png").read_bytes()
    b'drawn'
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise ResultsError(
            f"Cannot write {path}: {error.strerror or error}. "
            "Make room or name another folder with --results, then run the same command again."
        ) from error
    finally:
        with suppress(OSError):  # it was renamed, or its folder could not be made
            temporary.unlink()


def write_atomic(path: Path, data: bytes | str) -> None:
    """Replace a file's content, or make the file, all at once; text is written as UTF-8.

    Raises:
        ResultsError: the disk is full, or the folder is not writable.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomic(Path(folder, "run.json"), "{}")
    ...     [file.name for file in Path(folder).iterdir()]
    ['run.json']
    """
    with atomic_path(path) as temporary:
        temporary.write_bytes(data.encode() if isinstance(data, str) else data)
