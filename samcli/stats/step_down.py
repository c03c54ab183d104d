"""Several sign-flip tests of treatments that were tried with the same seeds, at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

MOST_EXACT = 13  # seeds up to which all 2ⁿ ways are counted
DRAWS = 2**14  # of ways where these are too many; the error of p = 0.05 is then 0.0017


def step_down(comparisons: Sequence[Mapping[int, float]]) -> list[float]:
    """The p-values of several sign-flip tests, adjusted for all of them.

    The signs of a seed are flipped in all comparisons at once, for one baseline stands behind them all. Each of them is
    held against the largest statistic, over itself and those with a smaller one, that random signs give (Westfall and
    Young, "Resampling-based multiple testing", 1993, algorithm 2.8 with the maximum). As with Holm's method, whose
    steps these are, the chance of any false finding stays below the level; unlike with it the smallest value is
    2 / 2ⁿ for any number of comparisons, so that ten seeds can tell thirty of them.

    Args:
        comparisons: for each the differences, treatment minus baseline, by seed.

    Returns:
        A p-value for each, at least that of its own test; 1 where all differences are zero or there are none.

    >>> clear = {seed: 1.0 + 0.1 * seed for seed in range(6)}
    >>> step_down([clear, clear, {0: 0.1, 1: -0.1}])
    [0.03125, 0.03125, 1.0]
    """
    seeds = sorted({seed for one in comparisons for seed in one})
    table = np.array([[one.get(seed, 0.0) for seed in seeds] for one in comparisons])
    if not table.size:
        return [1.0] * len(comparisons)
    flipped = _statistics(_signs(len(seeds)) @ table.T, table)
    observed = _statistics(table.sum(axis=1, keepdims=True).T, table)[0]
    descending = np.argsort(-observed, kind="stable")
    adjusted, largest = np.empty(len(comparisons)), np.full(len(flipped), -np.inf)
    for index in descending[::-1]:
        largest = np.maximum(largest, flipped[:, index])
        adjusted[index] = np.mean(largest >= observed[index])
    return [float(p) for p in _rising(adjusted, descending)]


def _statistics(sums: Values, table: Values) -> Values:
    """How far each sum of differences is from zero, in units of its standard deviation over all ways, √(Σd²).

    The t of a comparison rises with it. Rounded, so that ways that give the same sum are not told apart.
    """
    size = np.sqrt((table**2).sum(axis=1))
    return np.round(np.abs(sums) / np.where(size > 0.0, size, 1.0), 10)


def _signs(seeds: int) -> Values:
    """All ways in which the signs of so many seeds can fall, or as many drawn ones, the observed one first."""
    if seeds <= MOST_EXACT:
        ways = (np.arange(2**seeds)[:, None] >> np.arange(seeds)) & 1
    else:
        ways = np.random.default_rng(0).integers(0, 2, size=(DRAWS, seeds))
        ways[0] = 0
    return 1.0 - 2.0 * ways.astype(np.float64)


def _rising(values: Values, descending: npt.NDArray[np.int64]) -> Values:
    """No p-value below that of a larger statistic."""
    rising = np.empty_like(values)
    rising[descending] = np.maximum.accumulate(values[descending])
    return rising
