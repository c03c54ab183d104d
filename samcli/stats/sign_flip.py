"""The exact test of a mean difference of pairs: every way in which the signs could have fallen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

SMALLEST = 6  # pairs from which on it can reach p < 0.05: 2 / 2⁶ = 0.031
MOST_EXACT = 18  # pairs up to which all 2ⁿ ways are counted
DRAWS = 2**18  # of ways where these are too many; the error of p = 0.05 is then 0.0004


def sign_flip(differences: Sequence[float]) -> float:
    """The two-sided p-value of the sign-flip test: how often random signs give a mean at least as far from 0.

    If the two treatments do not differ, each difference might as well have had the other sign, and all 2ⁿ ways are
    equally likely (Fisher, "The design of experiments", 1935, section 21). Nothing is assumed but this symmetry; the
    smallest value that n pairs can reach is 2 / 2ⁿ. Beyond 18 pairs the ways are drawn, always the same ones, and
    the value is that of Davison and Hinkley ("Bootstrap methods", 1997, section 4.2): (1 + as far) / (1 + drawn).

    Args:
        differences: treatment minus baseline, one for each pair.

    Raises:
        ValueError: no differences.

    >>> sign_flip([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    0.03125
    """
    found = np.asarray(differences, dtype=np.float64)
    if found.size == 0:
        raise ValueError("The sign-flip test needs at least one difference.")
    # rounding must not tell ways apart that give the same sum
    reached = abs(float(found.sum())) - 1e-12 * float(np.abs(found).sum())
    if found.size <= MOST_EXACT:
        return float(np.mean(np.abs(_all_sums(found)) >= reached))
    signs = np.random.default_rng(0).integers(0, 2, size=(DRAWS, found.size), dtype=np.int8) * 2 - 1
    return float((1 + np.count_nonzero(np.abs(signs @ found) >= reached)) / (1 + DRAWS))


def smallest_p(pairs: int) -> float:
    """The smallest p-value that so many pairs can reach.

    >>> smallest_p(5), smallest_p(6)
    (0.0625, 0.03125)
    """
    return min(1.0, 2.0 / 2.0**pairs)


def pairs_needed(comparisons: int, level: float = 0.05) -> int:
    """How many pairs the test needs to reach the level in each of so many comparisons after Holm's adjustment.

    >>> [pairs_needed(comparisons) for comparisons in (1, 3, 5, 10)]
    [6, 7, 8, 9]
    """
    pairs = 1
    while smallest_p(pairs) * comparisons >= level:
        pairs += 1
    return pairs


def _all_sums(values: Values) -> Values:
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums + value, sums - value])
    return sums
