"""Bounds on the probability of an error, from errors that were counted."""

from __future__ import annotations

import math


def binary_kl(q: float, p: float) -> float:
    """kl(q‖p) = q ln(q/p) + (1 - q) ln((1 - q)/(1 - p)), in nats; infinite where p rules out what q has.

    >>> round(binary_kl(0.5, 0.25), 6), binary_kl(0.0, 0.0), binary_kl(0.1, 0.0)
    (0.143841, 0.0, inf)
    """
    if (p <= 0.0 and q > 0.0) or (p >= 1.0 and q < 1.0):
        return math.inf
    first = q * math.log(q / p) if q > 0.0 else 0.0
    return first + ((1.0 - q) * math.log((1.0 - q) / (1.0 - p)) if q < 1.0 else 0.0)


def kl_upper(q: float, c: float) -> float:
    """The largest p with kl(q‖p) ≤ c, to 10⁻¹² and never below it: the inverse of the binary divergence.

    Args:
        q: an observed share, from 0 to 1.
        c: at least 0.

    >>> round(kl_upper(0.0, math.log(2.0)), 9)  # for q = 0 it is 1 - exp(-c)
    0.5
    """
    low, high = q, 1.0
    while high - low > 1e-12:
        middle = (low + high) / 2.0
        if binary_kl(q, middle) > c:
            high = middle
        else:
            low = middle
    return high


def binomial_upper(errors: int, n: int, delta: float) -> float:
    """The test-set bound: with probability 1 - δ over n independent examples the true rate of errors is below it.

    The largest p at which so few errors have a probability of at least δ (Clopper and Pearson, 1934, one-sided;
    J. Langford, "Tutorial on Practical Prediction Theory for Classification", JMLR 2005, theorem 3.3).

    Args:
        errors: that were counted.
        n: the examples.
        delta: δ.

    >>> round(binomial_upper(0, 100, 0.05), 6)  # 1 - 0.05^(1/100)
    0.029513
    """
    from scipy.stats import beta

    return 1.0 if errors >= n else float(beta.ppf(1.0 - delta, errors + 1, n - errors))
