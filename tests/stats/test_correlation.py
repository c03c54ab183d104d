"""Kendall's τ against a plain count of pairs, and its interval by simulation."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
from scipy import stats

from samcli.stats import kendall, kendall_within


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


def plain_within(x: list[float], y: list[float], groups: list[int]) -> float:
    """By counting every pair of pairs."""
    balance, first, second = 0, 0, 0
    for i in range(len(x)):
        for j in range(i):
            if groups[i] == groups[j]:
                a, b = np.sign(x[i] - x[j]), np.sign(y[i] - y[j])
                balance, first, second = balance + a * b, first + (a != 0), second + (b != 0)
    return float(balance / math.sqrt(first * second))


def test_within_groups_is_the_count_of_pairs_of_pairs() -> None:
    generator = np.random.default_rng(0)
    for _ in range(20):
        n = int(generator.integers(4, 25))
        groups = generator.integers(0, 4, n).tolist()
        x, y = (np.round(generator.normal(size=n), 1).tolist() for _ in range(2))  # with ties
        if len(set(groups)) == n:
            continue
        assert kendall_within(x, y, groups, permutations=0).tau == pytest.approx(plain_within(x, y, groups))
        one = kendall_within(x, y, [0] * n, permutations=0).tau
        assert one == pytest.approx(stats.kendalltau(x, y).statistic)


def test_what_is_held_fixed_explains_nothing_any_more() -> None:
    """Two quantities that follow a third one and nothing else: τ is large, and within levels of that one it is not."""
    generator = np.random.default_rng(1)
    rate = np.repeat(np.arange(5.0), 12)
    x, y = (rate + 0.3 * generator.normal(size=60) for _ in range(2))
    whole, within = kendall(x.tolist(), y.tolist()), kendall_within(x.tolist(), y.tolist(), rate.tolist())
    assert (whole.tau or 0.0) > 0.6
    assert abs(within.tau or 0.0) < 0.2
    assert (within.p or 0.0) > 0.05
    assert (within.n, within.groups, within.low) == (60, 5, None)


def test_p_within_groups_is_uniform_without_and_small_with_a_relation() -> None:
    """Under independence p < 0.1 happens in a tenth of 200 draws; tolerance three binomial deviations."""
    generator = np.random.default_rng(2)
    groups = [0] * 6 + [1] * 6
    found = [
        kendall_within(
            generator.normal(size=12).tolist(), generator.normal(size=12).tolist(), groups, permutations=199
        ).p
        for _ in range(200)
    ]
    share = np.mean([p is not None and p <= 0.1 for p in found])
    assert abs(share - 0.1) < 3 * math.sqrt(0.1 * 0.9 / 200)
    x = [float(i % 6) for i in range(12)]
    strong = kendall_within(x, [value + 10.0 * group for value, group in zip(x, groups, strict=True)], groups)
    assert (strong.tau, strong.p) == (1.0, pytest.approx(2 / math.factorial(6) ** 2))


def test_pairs_and_groups_must_be_as_many_and_singles_count_for_nothing() -> None:
    with pytest.raises(ValueError, match="needs pairs and their groups, not 2, 2 and 1"):
        kendall_within([1, 2], [1, 2], [0])
    alone = kendall_within([1, 2, 3], [3, 1, 2], [0, 1, 2])
    assert (alone.tau, alone.n, alone.groups) == (None, 0, 0)
    assert kendall_within([1, 1], [1, 2], [0, 0]).tau is None


@pytest.mark.parametrize("n", [2, 3, 7, 20, 60])
def test_p_of_one_group_is_that_of_scipy(n: int) -> None:
    """Its exact one, which goes without ties; to rounding."""
    x, y = np.random.default_rng(n).normal(size=(2, n))
    expected = stats.kendalltau(x, y, method="exact")
    assert kendall_within(x.tolist(), y.tolist(), [0] * n).p == pytest.approx(expected.pvalue, rel=1e-12)


@pytest.mark.parametrize("ties", [1, 2])
def test_p_within_groups_is_the_share_of_all_permutations(ties: int) -> None:
    """With and without ties in y, by going through all of them; and by draws where ties are on both sides."""
    generator, groups = np.random.default_rng(3), [0, 0, 0, 0, 1, 1, 1]
    for _ in range(5):
        x = generator.permutation(7).astype(float).tolist()
        y = (generator.permutation(7) // ties).astype(float).tolist()
        found = kendall_within(x, y, groups)
        assert found.tau is not None
        every = [
            plain_within(x, [*first, *second], groups)
            for first in itertools.permutations(y[:4])
            for second in itertools.permutations(y[4:])
        ]
        share = np.mean([abs(tau) >= abs(found.tau) - 1e-12 for tau in every])
        assert found.p == pytest.approx(share, rel=1e-12)
    x, y = [0.0, 0.0, 1.0, 2.0, 1.0, 2.0, 2.0], [0.0, 1.0, 1.0, 2.0, 0.0, 0.0, 1.0]
    found = kendall_within(x, y, groups)
    every = [
        plain_within(x, [*first, *second], groups)
        for first in itertools.permutations(y[:4])
        for second in itertools.permutations(y[4:])
    ]
    share = np.mean([abs(tau) >= abs(found.tau or 0.0) - 1e-12 for tau in every])
    assert found.p == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / 9999))
    assert kendall_within(x, y, groups) == found, "the draws have a seed"
    assert kendall_within(x, y, groups, permutations=0).p is None
