"""Mean and spread of a few values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Summary:
    """Mean and spread of n values, in their unit.

    Attributes:
        mean: None without values.
        sd: the sample standard deviation, n - 1 in its denominator; None for fewer than two values.
        n: how many values.
    """

    mean: float | None
    sd: float | None
    n: int


def summarise(values: Iterable[float]) -> Summary:
    """The mean, the sample standard deviation and the number of the values.

    >>> summarise([1.0, 2.0, 3.0])
    Summary(mean=2.0, sd=1.0, n=3)
    >>> summarise([0.5])
    Summary(mean=0.5, sd=None, n=1)
    """
    sample = np.fromiter(values, dtype=np.float64)
    return Summary(
        mean=float(sample.mean()) if sample.size else None,
        sd=float(sample.std(ddof=1)) if sample.size > 1 else None,
        n=int(sample.size),
    )
