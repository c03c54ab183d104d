"""Processes that train together: whether torchrun started this one, and how one of them ends."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import NoReturn


def launched() -> tuple[int, int]:
    """The rank of this process and the number of ranks, as torchrun tells them; (0, 1) without it.

    >>> from unittest.mock import patch
    >>> with patch.dict(os.environ, RANK="1", WORLD_SIZE="2", MASTER_ADDR="localhost", MASTER_PORT="29500"):
    ...     launched()
    (1, 2)
    """
    rank, size = (os.environ.get(name, "") for name in ("RANK", "WORLD_SIZE"))
    if not (
        rank.isdecimal() and size.isdecimal() and all(os.environ.get(name) for name in ("MASTER_ADDR", "MASTER_PORT"))
    ):
        return 0, 1
    return int(rank), int(size)


def leave(code: int = 0) -> NoReturn:
    """End this process at once, with what it printed.

    In one that was in a process group torch's own threads abort at times while Python ends ("terminate called without
    an active exception"), though the group was left and all is done.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
