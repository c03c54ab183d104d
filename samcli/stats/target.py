"""How long runs take to reach a target."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from samcli.stats._summary import summarise


def first_reached(values: Sequence[float], target: float, *, higher_is_better: bool = True) -> int | None:
    """The number, from 1, of the first epoch whose value is at least as good as the target; None if none is.

    >>> first_reached([0.5, 0.8, 0.7, 0.9], 0.75), first_reached([0.5, 0.6], 0.75)
    (2, None)
    """
    for number, value in enumerate(values, 1):
        if value >= target if higher_is_better else value <= target:
            return number
    return None


def median_with_misses(spent: Sequence[float | None]) -> float:
    """The median over runs of what was spent until a target was reached; a run that missed it spent infinitely much.

    As AlgoPerf scores submissions (Dahl et al., "Benchmarking neural network training algorithms", 2023): misses take
    part, so that a method that seldom gets there cannot win by its luckiest runs. Of an even number of runs it is the
    mean of the middle two, infinite where one of them is.

    >>> median_with_misses([1.0, 3.0, None]), median_with_misses([1.0, None])
    (3.0, inf)

    Raises:
        ValueError: no runs.
    """
    if not spent:
        raise ValueError("A median needs at least one run.")
    return float(median([math.inf if one is None else one for one in spent]))


def reaches(finals: Sequence[float], target: float, *, higher_is_better: bool = True) -> float | None:
    """The one-sided p-value of "the mean is at least as good as the target", a t test; None for fewer than two runs.

    >>> reaches([0.91, 0.92, 0.915], 0.9) < 0.05
    True
    """
    from scipy.special import stdtr

    found = summarise(finals)
    if found.mean is None or found.sd is None:
        return None
    ahead = (found.mean - target) * (1.0 if higher_is_better else -1.0)
    if found.sd <= 1e-12 * abs(found.mean):
        return 0.0 if ahead >= 0.0 else 1.0
    return float(stdtr(found.n - 1, -ahead / (found.sd / math.sqrt(found.n))))
