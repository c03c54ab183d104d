"""Whether torchrun started this process, as one of several that train together."""

from __future__ import annotations

import os


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
