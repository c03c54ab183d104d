"""Whether the best value along an axis lies inside its range, or at an end of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np


def inside_against_ends(values: Mapping[int, Sequence[float]]) -> tuple[dict[int, float], dict[int, float]]:
    """For each seed how much better the best inner level is than the first, and than the last, level of an axis.

    Which inner level is the best is told by the mean over the other seeds, so that no seed judges the level that it
    chose: the maximum over levels of noise would else always lie above the ends.

    Args:
        values: for each seed a value at each level, in the order of the axis; larger is better. At least two seeds and
            three levels.

    Returns:
        The differences to the first level and to the last one, by seed.

    Raises:
        ValueError: fewer seeds or levels.

    >>> first, last = inside_against_ends({0: [1.0, 3.0, 2.0], 1: [1.0, 4.0, 2.0], 2: [0.0, 3.0, 3.0]})
    >>> first, last
    ({0: 2.0, 1: 3.0, 2: 3.0}, {0: 1.0, 1: 2.0, 2: 0.0})
    """
    table = np.asarray(list(values.values()), dtype=np.float64)
    if table.ndim != 2 or table.shape[0] < 2 or table.shape[1] < 3:
        raise ValueError("An optimum inside a range needs at least two seeds and three levels.")
    first, last = {}, {}
    for row, seed in enumerate(values):
        others = np.delete(table, row, axis=0).mean(axis=0)
        best = 1 + int(np.argmax(others[1:-1]))
        first[seed] = float(table[row, best] - table[row, 0])
        last[seed] = float(table[row, best] - table[row, -1])
    return first, last
