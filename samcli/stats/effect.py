"""How large a difference of pairs is beside its own spread, and how large one has to be to be seen."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from samcli.stats._summary import summarise

Values = npt.NDArray[np.float64]

POWER = 0.8  # with which an effect that "can be seen" is seen
MOST_PAIRS = 1000
QUANTILES = 2000  # of χ² at which the power is computed; errors of 1e-4


def standardised(differences: Sequence[float]) -> float | None:
    """Cohen's d_z: the mean difference in units of the standard deviation of the differences.

    None for fewer than two pairs; infinite, with the sign of the mean, where all differences are equal and not zero
    (Cohen, "Statistical power analysis", 1988, section 2.3.5).

    >>> standardised([1.0, 2.0, 3.0]), standardised([0.5, 0.5])
    (2.0, inf)
    """
    found = summarise(differences)
    if found.mean is None or found.sd is None:
        return None
    if found.sd <= 1e-12 * abs(found.mean):
        return math.copysign(math.inf, found.mean) if found.mean else 0.0
    return found.mean / found.sd


def superiority(differences: Sequence[float]) -> float | None:
    """The share of pairs in which the treatment has the larger value, ties counted one half; None without pairs.

    An estimate of P(A > B) at one seed (Vargha and Delaney, "A critique and improvement of the CL common language
    effect size", 2000, for pairs).

    >>> superiority([0.1, -0.2, 0.0, 0.3])
    0.625
    """
    if not differences:
        return None
    return float(np.mean([1.0 if d > 0.0 else 0.5 if d == 0.0 else 0.0 for d in differences]))


@lru_cache(maxsize=256)
def detectable(pairs: int, level: float = 0.05, power: float = POWER) -> float | None:
    """The d_z that the two-sided t test of so many pairs finds with the given power; None for fewer than two.

    The test statistic is then noncentral t, with pairs - 1 degrees of freedom and centre d_z √pairs.

    >>> [round(detectable(n), 1) for n in (3, 5, 10, 20)]
    [3.3, 1.7, 1.0, 0.7]

    Args:
        pairs: how many.
        level: of the test, of each comparison if there are several.
        power: the probability of a finding.
    """
    if pairs < 2:
        return None
    return _root(lambda effect: _power(effect, pairs, level) - power)


def pairs_to_decide(effect: float, level: float = 0.05, power: float = POWER) -> int | None:
    """How many pairs the two-sided t test needs to find an effect d_z with the given power; None beyond 1,000.

    >>> pairs_to_decide(1.0), pairs_to_decide(0.01)
    (10, None)
    """
    if not abs(effect) > 0.0:
        return None
    low, high = 2, MOST_PAIRS
    if _power(abs(effect), high, level) < power:
        return None
    while low < high:
        middle = (low + high) // 2
        if _power(abs(effect), middle, level) < power:
            low = middle + 1
        else:
            high = middle
    return low


def _power(effect: float, pairs: int, level: float) -> float:
    """The probability that the two-sided t test of an effect d_z ends below the level.

    With s² the variance of the sample, t exceeds b where a standard normal exceeds b s - d_z √n: the mean of that over
    s, which is that of a χ² with n - 1 degrees of freedom. scipy's noncentral t is not a number at places.
    """
    from scipy.special import ndtr, stdtrit

    if math.isinf(effect):
        return 1.0
    centre, bound = effect * math.sqrt(pairs), float(stdtrit(pairs - 1, 1.0 - level / 2.0))
    spread = _spread(pairs - 1)
    return float(np.mean(ndtr(centre - bound * spread) + ndtr(-centre - bound * spread)))


@lru_cache(maxsize=32)
def _spread(degrees: int) -> Values:
    """Quantiles of s at the middles of equal shares."""
    from scipy.special import chdtri

    shares = (np.arange(QUANTILES) + 0.5) / QUANTILES
    return np.sqrt(chdtri(degrees, shares) / degrees)  # type: ignore[no-any-return]


def _root(function: Callable[[float], float]) -> float:
    """Where a function that rises from below zero crosses it."""
    low, high = 0.0, 1.0
    while function(high) < 0.0:
        low, high = high, 2.0 * high
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (middle, high) if function(middle) < 0.0 else (low, middle)
    return high
