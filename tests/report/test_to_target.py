"""What is spent until a target is reached, read off the tables by hand."""

import math

import pytest
from run_folders import SAM, SGD, Results
from scipy import stats

from samcli.errors import ConfigError
from samcli.report import compare, render
from samcli.report.row import Row


@pytest.fixture
def five(results: Results) -> Results:
    """SGD reaches 0.8 after 2, 3 and 4 epochs and falls back; SAM once after 2, and misses it twice, once diverged."""
    for seed, values in enumerate([(0.5, 0.8, 0.7, 0.6), (0.5, 0.6, 0.9, 0.7), (0.1, 0.2, 0.3, 0.8)]):
        results.add(SGD, seed, values)
    for seed, values in enumerate([(0.5, 0.85, 0.9, 0.9), (0.1, 0.2, 0.3, 0.4)]):
        results.add(SAM, seed, values, gradients=200)
    results.add(SAM, 2, (0.9, 0.9, 0.9, 0.9), status={"status": "diverged"})
    return results


def rows(results: Results, budget: str) -> dict[str, Row]:
    return {row.optimizer: row for row in compare(results.runs(), target=0.8, budget=budget).rows}


@pytest.mark.parametrize(("budget", "sgd"), [("epochs", 3.0), ("gradients", 300.0)])
def test_medians_with_misses(five: Results, budget: str, sgd: float) -> None:
    found = rows(five, budget)
    first, second = found["sgd"].to_target, found["sam"].to_target
    assert first is not None
    assert second is not None
    assert (first.median, first.reached, first.n) == (sgd, 3, 3)
    assert (second.median, second.reached, second.n) == (math.inf, 1, 3)


def test_the_test_is_that_of_the_last_epoch(five: Results) -> None:
    found = rows(five, "epochs")["sgd"].to_target
    assert found is not None
    assert found.p == pytest.approx(stats.ttest_1samp([0.6, 0.7, 0.8], 0.8, alternative="greater").pvalue)


def test_seconds_are_of_training(results: Results) -> None:
    results.add(SGD, 0, (0.5, 0.9), seconds=2.0)  # of which the first epoch takes ten times as long
    found = rows(results, "seconds")["sgd"].to_target
    assert found is not None
    assert found.median == 22.0


def test_losses_are_reached_from_above(five: Results) -> None:
    found = {row.optimizer: row for row in compare(five.runs(), metric="test_loss", target=0.2).rows}["sgd"].to_target
    assert found is not None
    assert (found.median, found.reached) == (3.0, 3)


def test_it_is_in_every_format(five: Results) -> None:
    found = compare(five.runs(), target=0.8)
    assert "∞ (1/3)" in render(found, "table", width=200)
    assert "until test accuracy in % reaches 80.00" in render(found, "table", width=200)
    assert '"target_median": null' in render(found, "json")
    assert "target_median" in render(found, "csv")
    assert "To target" not in render(compare(five.runs()), "table", width=200)
    with pytest.raises(ConfigError, match="--target must be a number"):
        compare(five.runs(), target=math.nan)
