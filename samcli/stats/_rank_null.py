"""The distribution of Kendall's S, concordant less discordant pairs, where nothing is related."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

LONG = 500  # probabilities from which on a convolution is one by Fourier transforms
MOST = 1000  # members of a group whose distribution is computed within a second or so
MOST_WITH_TIES = 500


def null_of(members: int, ties: Sequence[int]) -> Numbers | None:
    """The probability of each number of discordant pairs, if all orders of a group are equally probable.

    ::

        Σ_d P(d) q^d = ∏_k [N_k choose m_k]_q / (N_k choose m_k),  N_k = m_1 + ... + m_k

    with Gauss' binomial coefficients: the inversions of the arrangements of a multiset, one side of the pairs being
    without ties (M. Kendall, "Rank Correlation Methods", chapter 5, for its moments). S is the number of pairs untied
    on the other side less 2 d.

    Args:
        members: of the group.
        ties: how often each value of the side with ties occurs; they add up to `members`.

    Returns:
        P(0), P(1), ... up to the number of untied pairs; None where it would take long.

    >>> null_of(3, [1, 1, 1]) * 6
    array([1., 2., 2., 1.])
    >>> null_of(3, [2, 1]) * 3  # aab, aba, baa
    array([1., 1., 1.])
    """
    if members > (MOST if max(ties) == 1 else MOST_WITH_TIES):
        return None
    found, before = np.ones(1), 0
    for times in sorted(ties):  # single values first, whose factor is the cheap one
        found = _times_uniform(found, before + 1) if times == 1 else _convolved(found, _subsets(before, times))
        before += times
    return found


def null_of_sum(nulls: Sequence[Numbers]) -> Numbers:
    """That of the discordant pairs of several groups, whose orders are independent.

    >>> null_of_sum([np.array([0.5, 0.5]), np.array([0.5, 0.5])])
    array([0.25, 0.5 , 0.25])
    """
    found = np.ones(1)
    for null in nulls:
        found = _convolved(found, null)
    return found


def _convolved(one: Numbers, other: Numbers) -> Numbers:
    """Long ones by Fourier transforms, to 1e-15 of the largest probability."""
    if min(len(one), len(other)) < LONG:
        short: Numbers = np.convolve(one, other)
        return short
    from scipy.signal import fftconvolve

    found: Numbers = fftconvolve(one, other).clip(min=0.0)
    return found


def _times_uniform(null: Numbers, levels: int) -> Numbers:
    """The convolution with the uniform distribution over 0, ..., levels - 1, from one cumulative sum."""
    sums = np.concatenate([np.zeros(levels), np.cumsum(null), np.full(levels - 1, null.sum())])
    found: Numbers = (sums[levels:] - sums[:-levels]) / levels
    return found


def _subsets(others: int, equal: int) -> Numbers:
    """The number of pairs out of order, where so many equal values lie at random among others: Mann and Whitney's U.

    By who comes last, Annals of Mathematical Statistics 1947: an equal one, which comes after all others, or another.
    """
    row = [np.ones(1) for _ in range(others + 1)]  # of no equal value among 0, 1, ... others
    for taken in range(1, equal + 1):
        new = [np.ones(1)]
        for rest in range(1, others + 1):
            found = np.zeros(taken * rest + 1)
            found[rest:] += taken / (taken + rest) * row[rest]
            found[: taken * (rest - 1) + 1] += rest / (taken + rest) * new[rest - 1]
            new.append(found)
        row = new
    return row[others]
