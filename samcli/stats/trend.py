"""How a quantity changes along an axis, seed by seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np


def slopes(levels: Sequence[float], values: Mapping[int, Sequence[float]]) -> dict[int, float]:
    """The least-squares slope over the levels for each seed, in units of the values per unit of the axis.

    Seeds are independent, levels of one seed are not: a mean slope with an interval over the seeds takes no level for
    a repetition.

    Args:
        levels: at least two different ones.
        values: for each seed one value at each level.

    Raises:
        ValueError: fewer than two different levels, or another number of values.

    >>> slopes([0.0, 1.0, 2.0], {0: [1.0, 2.0, 3.0], 1: [1.0, 1.0, 1.0]})
    {0: 1.0, 1: 0.0}
    """
    axis = np.asarray(levels, dtype=np.float64)
    if np.unique(axis).size < 2:
        raise ValueError("A slope needs at least two different levels.")
    centred = axis - axis.mean()
    found = {}
    for seed, one in values.items():
        if len(one) != axis.size:
            raise ValueError(f"Seed {seed} has {len(one)} values at {axis.size} levels.")
        found[seed] = float(centred @ np.asarray(one, dtype=np.float64) / (centred @ centred))
    return found
