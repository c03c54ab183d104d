"""The joint sign-flip test: its error by simulation, also of skewed values, and against the single test."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from samcli.stats.holm import holm
from samcli.stats.sign_flip import sign_flip
from samcli.stats.step_down import MOST_EXACT, step_down

Draw = Callable[[np.random.Generator, tuple[int, ...]], Any]
DRAWS: dict[str, Draw] = {
    "normal": lambda generator, size: generator.normal(size=size),
    "exponential": lambda generator, size: generator.exponential(size=size),
    "collapsing": lambda generator, size: generator.normal(size=size) - 20.0 * (generator.random(size) < 0.08),
}


def tables(values: Any) -> list[dict[int, float]]:
    return [dict(enumerate(treatment - values[0])) for treatment in values[1:]]


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize(("n", "k"), [(6, 2), (8, 5), (8, 12)])
def test_any_false_finding_is_rare(draw: str, n: int, k: int) -> None:
    """Nothing differs; 1200 tables, any p < 0.05 in at most 5 %, within 3 binomial standard deviations."""
    generator, trials = np.random.default_rng(n + k), 1200
    wrong = sum(min(step_down(tables(DRAWS[draw](generator, (k + 1, n))))) < 0.05 for _ in range(trials))
    assert wrong / trials <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / trials)


def test_what_differs_makes_the_others_no_finding() -> None:
    """Three of six treatments are far better: any finding among the three that are not, in at most 5 % of 1200."""
    generator, trials, wrong = np.random.default_rng(0), 1200, 0
    for _ in range(trials):
        values = generator.normal(size=(7, 8))
        values[1:4] += 4.0
        adjusted = step_down(tables(values))
        wrong += min(adjusted[3:]) < 0.05
    assert wrong / trials <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / trials)


def test_one_comparison_is_the_single_test() -> None:
    for n in range(2, 12):
        differences = np.random.default_rng(n).normal(0.4, 1.0, n)
        assert step_down([dict(enumerate(differences))]) == [pytest.approx(sign_flip(list(differences)))]


def test_it_lies_between_the_single_test_and_what_many_seeds_would_need() -> None:
    generator = np.random.default_rng(0)
    values = generator.normal(size=(31, 10))
    values[1:] += 3.0 * np.linspace(0.0, 1.0, 30)[:, None]
    found = step_down(tables(values))
    single = [sign_flip(list(one.values())) for one in tables(values)]
    assert all(one >= alone - 1e-12 for one, alone in zip(found, single, strict=True))
    assert 2 / 2**10 <= min(found) < 0.01
    assert min(holm(single)) > 0.05


def test_order_and_sign_change_nothing() -> None:
    generator = np.random.default_rng(3)
    found = tables(generator.normal(0.6, 1.0, (6, 7)))
    assert step_down(found[::-1]) == step_down(found)[::-1]
    assert step_down([{seed: -d for seed, d in one.items()} for one in found]) == step_down(found)
    assert step_down([{seed + 5: d for seed, d in one.items()} for one in found]) == step_down(found)
    scaled = [{seed: 1000.0 * d for seed, d in one.items()} for one in found]
    assert step_down(scaled) == pytest.approx(step_down(found))


def test_other_numbers_of_seeds_are_compared_by_what_they_say() -> None:
    clear, few = {seed: 1.0 + 0.01 * seed for seed in range(8)}, {seed: 1.0 + 0.01 * seed for seed in range(3)}
    first, second = step_down([clear, few])
    assert first == 2 / 2**8
    assert second >= 2 / 2**3


def test_many_seeds_are_drawn_and_the_same_each_time() -> None:
    differences = dict(enumerate(np.random.default_rng(0).normal(0.5, 1.0, MOST_EXACT + 5)))
    (first,), (second,) = step_down([differences]), step_down([differences])
    assert first == second
    assert first == pytest.approx(sign_flip(list(differences.values())), abs=0.005)


def test_what_has_no_difference() -> None:
    assert step_down([]) == []
    assert step_down([{}, {}]) == [1.0, 1.0]
    assert step_down([{0: 0.0, 1: 0.0}]) == [1.0]
