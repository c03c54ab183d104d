"""Small words that sentences and tables have in common."""

from __future__ import annotations

import math
from collections.abc import Sequence


def count(number: int, noun: str) -> str:
    """A number with its noun, in the plural unless it is one.

    >>> count(1, "run"), count(3, "run"), count(0, "epoch"), count(12000, "example")
    ('1 run', '3 runs', '0 epochs', '12,000 examples')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def seeds(numbers: Sequence[int]) -> str:
    """Seeds in words.

    >>> seeds([3]), seeds([0, 1])
    ('seed 3', 'seeds 0, 1')
    """
    return f"seed{'' if len(numbers) == 1 else 's'} {', '.join(map(str, numbers))}"


def joined(parts: Sequence[str], word: str = "and") -> str:
    """Parts as a sentence lists them.

    >>> joined(["a"]), joined(["a", "b", "c"]), joined(["a", "b"], "or")
    ('a', 'a, b and c', 'a or b')
    """
    *first, last = parts
    return f"{', '.join(first)} {word} {last}" if first else last


def some_of(parts: Sequence[str], most: int = 4) -> str:
    """Parts as a sentence lists them, the first ones and how many more where there are many.

    >>> some_of(["a", "b"]), some_of(list("abcdefg"))
    ('a and b', 'a, b, c, d and 3 others')
    """
    if len(parts) <= most + 1:
        return joined(parts)
    return f"{', '.join(parts[:most])} and {len(parts) - most} others"


def lasting(seconds: float) -> str:
    """How long something takes or took.

    >>> lasting(0.4), lasting(59), lasting(90), lasting(5400), lasting(86_400 * 3)
    ('0 s', '59 s', '2 min', '90 min', '3 days')
    >>> lasting(10_000), lasting(7200)
    ('2 h 47 min', '2 h')
    """
    if seconds < 99.5:
        return f"{seconds:.0f} s" if seconds < 59.5 else f"{math.ceil(seconds / 60)} min"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{round(hours / 24)} days"


def size(number: float) -> str:
    """A number of bytes.

    >>> size(0), size(1500), size(3_200_000), size(25e9)
    ('0 bytes', '1.5 kB', '3.2 MB', '25.0 GB')
    """
    if number < 1000:
        return count(int(number), "byte")
    for unit in ("kB", "MB", "GB"):
        number /= 1000
        if number < 999.95:
            return f"{number:.1f} {unit}"
    return f"{number / 1000:.1f} TB"
