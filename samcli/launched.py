"""Whether torchrun started this process, as one of several that train together."""

from __future__ import annotations

import os

VARIABLES = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


def launched() -> tuple[int, int]:
    """The rank of this process and the number of ranks, as torchrun tells them; (0, 1) without it.

    >>> from unittest.mock import patch
    >>> with patch.dict(os.environ, RANK="1", WORLD_SIZE="2", MASTER_ADDR="localhost", MASTER_PORT="29500"):
    ...     launched()
    (1, 2)
    """
    if not all(os.environ.get(name) for name in VARIABLES):
        return 0, 1
    return int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
