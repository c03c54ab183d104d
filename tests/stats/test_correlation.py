"""Kendall's τ against a plain count of pairs, and its interval by simulation."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest

from samcli.stats import kendall


def counted(x: Sequence[float], y: Sequence[float]) -> float | None:
    """(concordant - discordant pairs) / √(pairs that differ in x · pairs that differ in y)."""
    balance = differ_x = differ_y = 0
    for (x1, y1), (x2, y2) in itertools.combinations(zip(x, y, strict=True), 2):
        balance += ((x1 - x2) * (y1 - y2) > 0) - ((x1 - x2) * (y1 - y2) < 0)
        differ_x, differ_y = differ_x + (x1 != x2), differ_y + (y1 != y2)
    return balance / math.sqrt(differ_x * differ_y) if differ_x and differ_y else None


@pytest.mark.parametrize("n", [2, 5, 30])
def test_is_that_of_a_plain_count(n: int) -> None:
    """With and without ties; to rounding."""
    generator = np.random.default_rng(n)
    for high in (3, 1000):
        x, y = generator.integers(high, size=(2, n)).astype(float)
        expected, got = counted(x.tolist(), y.tolist()), kendall(x, y).tau
        assert got == (None if expected is None else pytest.approx(expected, abs=1e-12))


def test_the_interval_holds_what_it_promises() -> None:
    """For normal pairs τ = (2/π) arcsin r; 95 % of 1000 intervals ± 4 standard errors of that share."""
    generator = np.random.default_rng(0)
    for r, n in ((0.0, 12), (0.5, 12), (0.7, 30)):
        tau, held = 2 / math.pi * math.asin(r), 0
        for _ in range(1000):
            x, z = generator.normal(size=(2, n))
            found = kendall(x, r * x + math.sqrt(1 - r * r) * z)
            held += found.low <= tau <= found.high  # type: ignore[operator]
        assert held / 1000 == pytest.approx(0.95, abs=0.028)


def test_too_few_pairs() -> None:
    assert kendall([1, 2, 3], [3, 2, 1]).tau == pytest.approx(-1.0)
    assert kendall([1, 2, 3], [3, 2, 1]).low is None
    assert kendall([1, 1, 1], [3, 2, 1]).tau is None
    assert kendall([], []).tau is None
    perfect = kendall(range(8), range(8))
    assert perfect.tau == pytest.approx(1.0)
    assert perfect.low is not None
    with pytest.raises(ValueError, match="3 and 2 values"):
        kendall([1, 2, 3], [1, 2])
