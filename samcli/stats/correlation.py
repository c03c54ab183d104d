"""Rank correlation: whether two quantities rank runs alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SMALLEST = 6  # pairs below which the interval says nothing


@dataclass(frozen=True)
class RankCorrelation:
    """Kendall's τ of n pairs.

    Attributes:
        tau: from -1 to 1; None for fewer than two pairs, or where all values of one side are equal.
        low, high: ends of the confidence interval; None for fewer than 6 pairs.
        n: number of pairs.
        confidence: level of the interval.
    """

    tau: float | None
    low: float | None
    high: float | None
    n: int
    confidence: float


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
