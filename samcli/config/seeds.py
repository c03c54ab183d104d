"""Seeds as people write them."""

from __future__ import annotations

import re
from typing import Any

from samcli.config.source import Source
from samcli.errors import ConfigError

MOST_SEEDS = 10_000


def parse_seeds(value: Any, source: Source) -> list[int]:
    """Seeds as written: `3`, `0-4`, `0,2,5-7`, or a list of these.

    >>> parse_seeds("0-2,7", Source({}))
    [0, 1, 2, 7]
    """
    seeds: list[int] = []
    for item in value if isinstance(value, list) else str(value).split(","):
        match = re.fullmatch(r"\s*(\d{1,9})\s*(?:-\s*(\d{1,9})\s*)?", str(item))
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if last - first >= MOST_SEEDS:
            raise ConfigError(f"{source.where(('seeds',))}: {value!r} are more than {MOST_SEEDS:,} seeds; name fewer.")
        if last < first or isinstance(item, bool):
            raise ConfigError(f"{source.where(('seeds',))}: seeds must be written as 3, 0-4 or 0,2,5, not {value!r}.")
        seeds += range(first, last + 1)
    if not seeds:
        raise ConfigError(f"{source.where(('seeds',))}: seeds is empty; write it as 3, 0-4 or 0,2,5.")
    return list(dict.fromkeys(seeds))
