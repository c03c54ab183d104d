"""Rank correlation: whether two quantities rank runs alike."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from samcli.stats._rank_null import Numbers, null_of, null_of_sum

Signs = NDArray[np.int8]

SMALLEST = 6  # pairs below which the interval says nothing


@dataclass(frozen=True)
class RankCorrelation:
    """Kendall's τ of n pairs.

    Attributes:
        tau: from -1 to 1; None for fewer than two pairs, or where all values of one side are equal.
        low, high: ends of the confidence interval; None for fewer than 6 pairs.
        n: number of pairs.
        confidence: level of the interval.
        p: two-sided, of no correlation within groups; None where pairs are in no groups, or it was not asked for.
        groups: how many groups with two pairs or more they are in; 0 where they are in none.
    """

    tau: float | None
    low: float | None
    high: float | None
    n: int
    confidence: float
    p: float | None = None
    groups: int = 0


def kendall(x: Sequence[float], y: Sequence[float], confidence: float = 0.95) -> RankCorrelation:
    """Kendall's τ_b, which counts concordant less discordant pairs and makes allowance for ties.

    The interval is that of Fieller, Hartley and Pearson ("Tests for rank correlation coefficients", Biometrika 1957)::

        tanh(artanh τ ± z √(0.437 / (n - 4)))

    which holds for normal pairs of moderate correlation, |τ| < 0.8, and takes the pairs as independent: runs that share
    a seed or a setting are not quite, so that it is too narrow for them.

    Args:
        x: values of one quantity.
        y: as many of the other.
        confidence: level of the interval, between 0 and 1.

    Raises:
        ValueError: not as many values.

    >>> found = kendall([1, 2, 3, 4, 5, 6, 7], [1, 3, 2, 4, 5, 7, 6])
    >>> round(found.tau, 3), round(found.low, 3), round(found.high, 3)
    (0.81, 0.361, 0.954)
    """
    a, b = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if a.shape != b.shape:
        raise ValueError(f"Kendall's τ needs pairs, not {a.size} and {b.size} values.")
    n = int(a.size)
    if len(set(a.tolist())) < 2 or len(set(b.tolist())) < 2:
        return RankCorrelation(None, None, None, n, confidence)
    from scipy.special import ndtri
    from scipy.stats import kendalltau

    tau = float(kendalltau(a, b).statistic)
    if n < SMALLEST:
        return RankCorrelation(tau, None, None, n, confidence)
    inside = max(-1.0 + 1e-12, min(1.0 - 1e-12, tau))
    half = float(ndtri((1.0 + confidence) / 2.0)) * math.sqrt(0.437 / (n - 4))
    low, high = math.tanh(math.atanh(inside) - half), math.tanh(math.atanh(inside) + half)
    return RankCorrelation(tau, low, high, n, confidence)


def kendall_within(
    x: Sequence[float], y: Sequence[float], groups: Sequence[Hashable], *, permutations: int = 9999, seed: int = 0
) -> RankCorrelation:
    """Kendall's τ_b of pairs within groups alone: what two quantities share where something else is held fixed.

    ::

        τ = Σ_g (C_g - D_g) / √(Σ_g (P_g - X_g) · Σ_g (P_g - Y_g))

    over the groups g: concordant and discordant pairs of pairs, all of them, and those tied in x and in y. Of one group
    it is `kendall`. Its p-value is that of the permutations of y within each group, which takes the members of a group
    as exchangeable: of all of them where no group has ties on both sides, see `samcli.stats._rank_null`, otherwise, and
    in groups of very many, of some that are drawn.

    Args:
        x: values of one quantity.
        y: as many of the other.
        groups: as many; equal ones belong together.
        permutations: how many are drawn where it takes draws; 0 for no p.
        seed: of the draws.

    Raises:
        ValueError: not as many values.

    >>> x, y = [1, 2, 3, 11, 12, 13], [3, 2, 1, 13, 12, 11]
    >>> round(kendall(x, y).tau, 2), kendall_within(x, y, list("aaabbb")).tau
    (0.2, -1.0)
    """
    a, b = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if not a.shape == b.shape == (len(groups),):
        raise ValueError(f"τ within groups needs pairs and their groups, not {a.size}, {b.size} and {len(groups)}.")
    members = [np.array([i for i, one in enumerate(groups) if one == group]) for group in dict.fromkeys(groups)]
    members = [one for one in members if len(one) > 1]
    n = sum(map(len, members))
    signs = [(_signs(a[one]), _signs(b[one])) for one in members]
    untied = [sum(int(np.count_nonzero(pair[side])) for pair in signs) for side in (0, 1)]
    if not all(untied):
        return RankCorrelation(None, None, None, n, 0.95, None, len(members))
    balance = sum(_balance(*pair) for pair in signs)
    tau = balance / math.sqrt(untied[0] * untied[1])
    p = _exact_p([(a[one], b[one]) for one in members], abs(balance) // 2) if permutations else None
    if p is None and permutations:
        generator, extreme = np.random.default_rng(seed), 0
        for _ in range(permutations):
            orders = (generator.permutation(len(first)) for first, _ in signs)
            drawn = sum(_balance(*pair, order) for pair, order in zip(signs, orders, strict=True))
            extreme += abs(drawn) >= abs(balance)
        p = (extreme + 1) / (permutations + 1)
    return RankCorrelation(tau, None, None, n, 0.95, p, len(members))


def _exact_p(groups: Sequence[tuple[Numbers, Numbers]], balance: int) -> float | None:
    """The probability of an |S| of at least so much; None where one of the groups has no known distribution."""
    nulls, pairs = [], 0
    for x, y in groups:
        first, second = (np.unique(side, return_counts=True)[1].tolist() for side in (x, y))
        if max(first) > 1 and max(second) > 1:
            return None
        null = null_of(len(x), first if max(first) > 1 else second)
        if null is None:
            return None
        nulls.append(null)
        pairs += len(null) - 1
    discordant = np.arange(pairs + 1)
    return min(1.0, float(null_of_sum(nulls)[np.abs(pairs - 2 * discordant) >= balance].sum()))


def _balance(x: Signs, y: Signs, order: NDArray[np.int64] | None = None) -> int:
    """Twice the concordant less the discordant pairs, y in another order."""
    product = x * (y if order is None else y[np.ix_(order, order)])
    return int(product.sum(dtype=np.int64))


def _signs(values: Numbers) -> Signs:
    """Which of each two values is the larger, (n, n)."""
    return np.sign(values[:, None] - values[None, :]).astype(np.int8)
