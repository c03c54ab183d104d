"""Training time against gradient evaluations."""

from statistics import fmean, stdev

import pytest
from run_folders import Block, Results

from samcli.errors import ConfigError
from samcli.report.plots import costs


def test_both_are_of_the_whole_training(results: Results, sgd: Block, sam: Block) -> None:
    """SAM with half the epochs makes as many passes, and took a fifth more time."""
    for seed in range(3):
        results.add(sgd, seed, [0.5] * 4, seconds=1.0)
        results.add(sam, seed, [0.5] * 2, seconds=[2.4, 2.2, 2.6][seed], gradients=200)
    flat, base = costs(results.runs()).panels[0].series
    (point,) = flat.points
    times = [two * 2 * 5.5 / 4 for two in (2.4, 2.2, 2.6)]  # the median of an epoch that warms up and one that does not
    assert (point.x, point.x_sd) == (1.0, 0.0)
    assert (point.y, point.y_sd) == (pytest.approx(fmean(times)), pytest.approx(stdev(times)))
    assert (base.points[0].x, base.points[0].y) == (1.0, 1.0)


def test_what_was_timed_differently_is_refused(results: Results, sgd: Block, sam: Block) -> None:
    results.add(sgd, 0, [0.5], status={"threads": 1})
    results.add(sam, 0, [0.5], status={"threads": 2})
    with pytest.raises(ConfigError, match="--kind pareto"):
        costs(results.runs())
    with pytest.raises(ConfigError, match="No finished adam run"):
        costs(results.runs()[:1], "adam")
