"""The distribution of discordant pairs against going through all orders, and against its known moments."""

import itertools

import numpy as np
import pytest

from samcli.stats._rank_null import MOST, MOST_WITH_TIES, null_of, null_of_sum


@pytest.mark.parametrize("ties", [[1], [1, 1, 1, 1], [2, 2], [3, 1, 2], [1, 4, 1], [6]])
def test_is_that_of_all_orders(ties: list[int]) -> None:
    values = [level for level, times in enumerate(ties) for _ in range(times)]
    every = [sum(a > b for a, b in itertools.combinations(order, 2)) for order in itertools.permutations(values)]
    found = null_of(len(values), ties)
    assert found is not None
    assert found == pytest.approx(np.bincount(every, minlength=len(found)) / len(every))


@pytest.mark.parametrize("ties", [[1] * 300, [50] * 4, [7, 30, 63]])
def test_moments_of_many(ties: list[int]) -> None:
    """Of d = (pairs - S)/2: mean pairs/2 and variance (n(n-1)(2n+5) - Σ t(t-1)(2t+5))/72, Kendall's for ties of one
    side; long ones by Fourier transforms, hence to 1e-9.
    """
    n = sum(ties)
    found = null_of(n, ties)
    assert found is not None
    d = np.arange(len(found))
    assert len(found) - 1 == (n * (n - 1) - sum(t * (t - 1) for t in ties)) // 2
    assert found.sum() == pytest.approx(1.0, rel=1e-12)
    mean = float(found @ d)
    assert mean == pytest.approx((len(found) - 1) / 2, rel=1e-9)
    expected = (n * (n - 1) * (2 * n + 5) - sum(t * (t - 1) * (2 * t + 5) for t in ties)) / 72
    assert float(found @ (d - mean) ** 2) == pytest.approx(expected, rel=1e-9)


def test_groups_add_up() -> None:
    one, other = null_of(4, [1] * 4), null_of(3, [2, 1])
    assert one is not None
    assert other is not None
    found, expected = null_of_sum([one, other]), np.zeros(len(one) + len(other) - 1)
    for (i, p), (j, q) in itertools.product(enumerate(one), enumerate(other)):
        expected[i + j] += p * q
    assert found == pytest.approx(expected)


def test_of_very_many_it_is_left_to_draws() -> None:
    assert null_of(MOST + 1, [1] * (MOST + 1)) is None
    assert null_of(MOST_WITH_TIES + 1, [2] + [1] * (MOST_WITH_TIES - 1)) is None
