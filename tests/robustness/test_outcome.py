"""Values with their errors, against scipy, scikit-learn and brute force."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.metrics import roc_auc_score

from samcli.robustness.outcome import area_under_roc, mean_of, mean_over_draws, share_of, without_value


@pytest.mark.parametrize(("right", "n"), [(0, 7), (7, 7), (1, 1), (450, 1000), (999, 1000)])
def test_wilsons_interval_is_scipys(right: int, n: int) -> None:
    found = share_of(torch.arange(n) < right)
    expected = stats.binomtest(right, n).proportion_ci(method="wilson")
    assert found.value == right / n
    assert found.interval == pytest.approx(tuple(expected), abs=1e-12)
    assert found.stderr == pytest.approx(math.sqrt(right / n * (1 - right / n) / n))


def test_the_error_of_a_mean_is_scipys() -> None:
    values = torch.tensor([0.2, 1.0, 0.4, 0.8, 0.8])
    found = mean_of(values, "accuracy", kind="blur")
    assert found.stderr == pytest.approx(stats.sem(values.double().numpy()))
    assert (found.n, found.details) == (5, {"kind": "blur"})
    assert mean_of(values[:1], "accuracy").stderr is None


def test_the_error_over_draws_and_examples_covers() -> None:
    """Crossed effects of draws and examples: the interval of ±2 errors holds the truth in at least 93 % of tries."""
    generator = np.random.default_rng(0)
    covered, tries = 0, 400
    for _ in range(tries):
        draws, examples = generator.normal(0, 0.1, (10, 1)), generator.normal(0, 0.5, (1, 60))
        values = 0.7 + draws + examples + generator.normal(0, 0.3, (10, 60))
        found = mean_over_draws(torch.from_numpy(values), "accuracy")
        covered += abs(found.value - 0.7) <= 2.0 * (found.stderr or 0.0)
    assert covered / tries >= 0.93


def test_one_draw_has_no_error_of_draws() -> None:
    found = mean_over_draws(torch.tensor([[1.0, 0.0, 1.0]]), "accuracy")
    assert found.stderr is None
    assert found.details["example_stderr"] == pytest.approx(1 / 3)


def test_the_area_is_scikit_learns_and_its_error_delongs_with_ties() -> None:
    generator = np.random.default_rng(1)
    positive, negative = generator.integers(0, 9, 40) / 4 + 0.5, generator.integers(0, 9, 30) / 4
    found = area_under_roc(torch.from_numpy(positive), torch.from_numpy(negative), data="elsewhere")
    labels = np.r_[np.ones(40), np.zeros(30)]
    assert found.value == pytest.approx(roc_auc_score(labels, np.r_[positive, negative]), abs=1e-12)
    wins = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    expected = math.sqrt(wins.mean(1).var(ddof=1) / 40 + wins.mean(0).var(ddof=1) / 30)
    assert found.stderr == pytest.approx(expected, abs=1e-12)
    assert found.n == 70
    assert found.details == {"data": "elsewhere"}


def test_no_value_says_why() -> None:
    found = without_value("a loss is not finite", 3, "loss", bits=4)
    assert math.isnan(found.value)
    assert found.stderr is None
    assert found.details == {"bits": 4, "reason": "a loss is not finite"}
