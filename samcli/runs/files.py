"""Atomic files: a reader sees the old content or the new one, never a part of either."""

from __future__ import annotations

import errno
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from samcli.errors import ResultsError, RunBlocked
from samcli.runs.process import exists, this_machine

_TEMPORARY = re.compile(r"\..+\.(?:([0-9a-f]{12})-(\d+)-)?[0-9a-f]{8}\.tmp")
_IN_THE_WAY = (errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENOTEMPTY, errno.ELOOP, errno.EACCES, errno.EPERM)
_LEFT_BEHIND = 3600.0  # seconds; no file takes as long to write


@contextmanager
def atomic_path(path: Path, *, replace: bool = True) -> Iterator[Path]:
    """A temporary path for writers that need a file of their own, moved to `path` when the block ends well.

    The temporary file `.NAME.MACHINE-PID-HEX.tmp` stands in the same folder, because a rename is atomic within one file
    system only. It is flushed to the disk before the rename, and removed if the block raises anything, Ctrl-C included;
    only a killed process leaves one behind, see `remove_leftovers`, and no reader looks at such a name. Missing folders
    are made.

    Args:
        path: the file to replace or to make.
        replace: whether a file that is there is replaced; otherwise it stays as it is.

    Yields:
        The path to write to; there is no file yet.

    Raises:
        RunBlocked: something else stands in the place of the file or its folder, it may not be replaced, or the folder
            was deleted meanwhile.
        ResultsError: the disk is full, or fails.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_path(Path(folder, "picture.png")) as temporary:
    ...         _ = temporary.write_bytes(b"drawn")
    ...     Path(folder, "picture.png").read_bytes()
    b'drawn'
    """
    writer = f"{this_machine()}-{os.getpid()}-{secrets.token_hex(4)}"
    temporary = path.with_name(f".{path.name}.{writer}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        (os.replace if replace else _make)(temporary, path)
    except OSError as error:
        what = f"Cannot write {path}: {error.strerror or error}."
        if error.errno in (errno.EACCES, errno.EPERM) and not path.is_dir():
            raise ResultsError(
                f"{what} Change the permissions of its folder or name another one with --results, then run the same "
                "command again."
            ) from error
        if error.errno in _IN_THE_WAY:
            raise RunBlocked(f"{what} Move what stands there away, then run the same command again.") from error
        if error.errno == errno.ENOENT:
            raise RunBlocked(
                f"{what} Its folder was moved or deleted meanwhile; run the same command again."
            ) from error
        raise ResultsError(
            f"{what} Make room or name another folder with --results, then run the same command again."
        ) from error
    finally:
        with suppress(OSError):  # it was renamed, or its folder could not be made
            temporary.unlink()


def _make(temporary: Path, path: Path) -> None:
    """Give a file its name unless there is one of that name: of many processes, on whatever hosts, one can."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        with suppress(FileExistsError), path.open("xb") as file:
            file.write(temporary.read_bytes())


def write_atomic(path: Path, data: bytes | str) -> None:
    """Replace a file's content, or make the file, all at once; text is written as UTF-8.

    Raises:
        RunBlocked, ResultsError: see `atomic_path`.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomic(Path(folder, "run.json"), "{}")
    ...     [file.name for file in Path(folder).iterdir()]
    ['run.json']
    """
    with atomic_path(path) as temporary:
        temporary.write_bytes(data.encode() if isinstance(data, str) else data)


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of processes that were killed while they wrote, each as large as what they wrote.

    A file of a process of this machine goes when that process is gone; any other when it is an hour old.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     left = Path(name, f".checkpoint.pt.{this_machine()}-{2**40}-0123abcd.tmp")
    ...     left.touch()
    ...     remove_leftovers(Path(name))
    ...     left.exists()
    False
    """
    for path in folder.glob(".*.tmp"):
        if found := _TEMPORARY.fullmatch(path.name):
            machine, pid = found.groups()
            with suppress(OSError):  # gone already, or not ours to remove
                dead = machine == this_machine() and not exists(int(pid))
                if dead or time.time() - path.stat().st_mtime > _LEFT_BEHIND:
                    path.unlink()


def put_aside(path: Path, aside: Path) -> Path:
    """Move a file or folder to another place on the same disk, to `ASIDE-2`, `ASIDE-3`, ... if that is taken.

    Returns:
        Where it is now.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     for _ in range(2):
    ...         Path(name, "run").mkdir()
    ...         put_aside(Path(name, "run"), Path(name, "kept", "run")).name
    'run'
    'run-2'
    """
    aside.parent.mkdir(parents=True, exist_ok=True)
    number, free = 2, aside
    while free.exists():
        number, free = number + 1, aside.with_name(f"{aside.name}-{number}")
    path.rename(free)
    return free
