"""The binary divergence, its inverse, and the bound of a binomial, against scipy."""

import math

import pytest
from scipy import optimize, stats

from samcli.stats.binary_kl import binary_kl, binomial_upper, kl_upper


@pytest.mark.parametrize("q", [0.0, 1e-6, 0.05, 0.5, 0.93, 1.0])
@pytest.mark.parametrize("c", [1e-6, 0.01, 0.3, 5.0])
def test_the_inverse_is_a_root(q: float, c: float) -> None:
    found = kl_upper(q, c)
    assert q <= found <= 1.0
    if q == 1.0 or binary_kl(q, 1.0 - 1e-15) < c:  # the root is one of the last numbers below 1
        assert found == pytest.approx(1.0, abs=1e-12)
        return
    expected = optimize.brentq(lambda p: binary_kl(q, p) - c, q + 1e-15, 1.0 - 1e-16, xtol=1e-14)
    assert found == pytest.approx(expected, abs=1e-9)
    assert binary_kl(q, min(found + 1e-6, 1.0)) > c


def test_the_inverse_grows_with_both() -> None:
    values = [[kl_upper(q / 10, c / 10) for c in range(1, 9)] for q in range(10)]
    assert all(row == sorted(row) for row in values)
    assert all(list(column) == sorted(column) for column in zip(*values, strict=True))


def test_divergence_by_hand() -> None:
    assert binary_kl(0.5, 0.5) == 0.0
    assert binary_kl(1.0, 0.5) == pytest.approx(math.log(2))
    assert binary_kl(0.5, 1.0) == math.inf


@pytest.mark.parametrize(("errors", "n"), [(0, 50), (3, 50), (50, 50), (480, 10_000)])
def test_the_binomial_bound_is_scipys(errors: int, n: int) -> None:
    expected = stats.binomtest(errors, n, alternative="less").proportion_ci(0.95, method="exact").high
    assert binomial_upper(errors, n, 0.05) == pytest.approx(expected, abs=1e-9)
