"""Verdicts: their errors by simulation, their symmetries, and the t test against scipy."""

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from samcli.stats.verdict import Verdict, Word, verdicts


def judged(comparisons: list[list[float]], **options: Any) -> list[Verdict]:
    return verdicts([dict(enumerate(one)) for one in comparisons], **options)


def words(comparisons: list[list[float]], **options: Any) -> list[Word]:
    return [one.word for one in judged(comparisons, **options)]


@pytest.mark.parametrize(("n", "k"), [(6, 1), (8, 3), (10, 6)])
def test_better_and_worse_are_claimed_wrongly_in_under_5_percent(n: int, k: int) -> None:
    """Treatments and baseline alike, with a strong effect of the seed; 1500 tables, 3 binomial standard deviations."""
    generator, trials, wrong = np.random.default_rng(n), 1500, 0
    for _ in range(trials):
        values = 5.0 * generator.normal(size=n) + generator.normal(size=(k + 1, n))
        found = words([list(treatment - values[0]) for treatment in values[1:]])
        wrong += bool({Word.BETTER, Word.WORSE} & set(found))
    assert wrong / trials <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / trials)


def test_equality_is_claimed_wrongly_in_under_5_percent() -> None:
    """Three treatments exactly at the margin: any of them is called equal in at most 5 % of 1500 tables."""
    generator, trials, wrong = np.random.default_rng(0), 1500, 0
    for _ in range(trials):
        found = words([list(generator.normal(0.5, 0.2, 8)) for _ in range(3)], margin=0.5)
        wrong += Word.EQUAL in found
    assert wrong / trials <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / trials)


def test_a_large_difference_is_found() -> None:
    generator = np.random.default_rng(0)
    differences = [list(generator.normal(3.0, 1.0, 9)) for _ in range(5)]
    assert words(differences) == [Word.BETTER] * 5
    assert words(differences, higher_is_better=False) == [Word.WORSE] * 5
    assert words([[-d for d in one] for one in differences]) == [Word.WORSE] * 5


def test_what_is_certain_and_small_is_practically_equal() -> None:
    tiny = [0.01 + 0.001 * i for i in range(8)]
    assert words([tiny]) == [Word.BETTER]
    assert words([tiny], margin=0.1) == [Word.EQUAL]
    assert words([tiny], margin=0.001) == [Word.BETTER]
    assert words([[-0.4, 0.3, 0.5, -0.2, 0.4, -0.5]], margin=0.1) == [Word.INCONCLUSIVE]


def test_below_six_pairs_nothing_is_said_and_nothing_adjusted() -> None:
    few, enough = [5.0, 6.0, 7.0, 8.0, 9.0], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    first, second, third = judged([few, enough, []])
    assert (first.word, first.p, first.p_adjusted) == (Word.TOO_FEW, None, None)
    assert first.p_t == pytest.approx(stats.ttest_1samp(few, 0.0).pvalue, rel=1e-9)
    assert (second.word, second.p_adjusted) == (Word.BETTER, 2 / 2**6)
    assert (third.word, third.p_t, third.effect, third.superiority, third.detectable) == (Word.TOO_FEW, *[None] * 4)


def test_swapping_the_two_negates_and_order_changes_nothing() -> None:
    generator = np.random.default_rng(1)
    tables = [list(generator.normal(0.5, 1.0, 7)) for _ in range(4)]
    found = judged(tables, margin=0.3)
    swapped = judged([[-d for d in one] for one in tables], margin=0.3)
    for one, other in zip(found, swapped, strict=True):
        assert (one.p, one.p_adjusted, one.p_t, one.detectable) == pytest.approx(
            (other.p, other.p_adjusted, other.p_t, other.detectable)
        )
        assert one.effect == pytest.approx(-other.effect)  # type: ignore[operator]
        assert one.superiority == pytest.approx(1.0 - other.superiority)  # type: ignore[operator]
    shuffled = judged([one[::-1] for one in reversed(tables)], margin=0.3)
    assert [one.word for one in shuffled] == [one.word for one in reversed(found)]
    assert [one.p for one in shuffled] == pytest.approx([one.p for one in reversed(found)])


def test_differences_without_spread() -> None:
    (one,) = judged([[0.5] * 6])
    assert (one.word, one.effect, one.p_t, one.detectable) == (Word.BETTER, math.inf, 0.0, 0.0)
    (zero,) = judged([[0.0] * 6])
    assert (zero.word, zero.p, zero.effect, zero.superiority) == (Word.INCONCLUSIVE, 1.0, 0.0, 0.5)


def test_a_margin_is_above_zero() -> None:
    for margin in (0.0, -0.1):
        with pytest.raises(ValueError, match="above zero"):
            judged([[1.0] * 6], margin=margin)
