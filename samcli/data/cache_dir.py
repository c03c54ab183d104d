"""Where decoded images are kept from one process to the next: a matter of the machine, and no part of any run."""

from __future__ import annotations

import os
from pathlib import Path

CACHE_DIR = "SAMCLI_CACHE_DIR"  # processes that are started know it by their environment


def cache_dir() -> Path | None:
    """The folder for decoded images; None if they are to be held in memory.

    >>> from unittest.mock import patch
    >>> with patch.dict(os.environ, {CACHE_DIR: "/var/cache"}):
    ...     str(cache_dir())
    '/var/cache'
    """
    name = os.environ.get(CACHE_DIR)
    return Path(name) if name else None
