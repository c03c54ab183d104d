"""The range of an axis in which something holds."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def longest_range(holds: Collection[float], levels: Sequence[float]) -> list[float]:
    """The longest range of neighbouring levels at all of which something holds, the first of equally long ones.

    Args:
        holds: the levels at which it does.
        levels: all of them, in order.

    >>> longest_range([0.1, 0.4, 0.8], [0.1, 0.2, 0.4, 0.8])
    [0.4, 0.8]
    """
    best: list[float] = []
    here: list[float] = []
    for level in levels:
        here = [*here, level] if level in holds else []
        best = max(best, here, key=len)
    return best
