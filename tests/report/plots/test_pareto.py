"""A metric against cost: ratios, spreads, the front, and when a cost cannot be told."""

from statistics import fmean, stdev

import pytest
from run_folders import Block, Results

from samcli.errors import ConfigError
from samcli.report import compare
from samcli.report.plot import Plot, Series
from samcli.report.plots import against_cost
from samcli.report.plots.pareto import pareto


def series(plot: Plot) -> dict[str, Series]:
    (panel,) = plot.panels
    return {one.name: one for one in panel.series}


def test_passes_are_those_of_compare(noisy: Results) -> None:
    """After equal epochs the cost of the training is that of an epoch."""
    found = series(against_cost(noisy.runs()))
    for row in compare(noisy.runs()).rows:
        if row.n:
            (point,) = found[row.who].points
            assert (point.x, point.y, point.y_sd, point.n) == (row.passes, row.last.mean, row.last.sd, row.n)
    assert {name for name, one in found.items() if one.on_front} == {"sgd", "sam rho=0.1"}


def test_more_epochs_cost_more(results: Results, sgd: Block) -> None:
    """And the cheapest of several baselines costs 1."""
    for seed in range(2):
        results.add(sgd, seed, (0.5, 0.6))
        results.add(sgd, seed, (0.5, 0.6, 0.55, 0.5))
    found = series(against_cost(results.runs()))
    assert [(name, one.points[0].x, one.on_front) for name, one in found.items()] == [
        ("sgd epochs=2", 1.0, True),
        ("sgd epochs=4", 2.0, False),
    ]


def test_seeds_that_ended_at_a_loss_cost_differently(results: Results, sgd: Block, sam: Block) -> None:
    for seed, epochs in enumerate((2, 4)):
        results.add(sgd, seed, [0.5] * epochs, epochs=9, stop_at_train_loss=0.1)
        results.add(sam, seed, [0.6] * (epochs + 1), gradients=200, epochs=9, stop_at_train_loss=0.1)
    found = series(against_cost(results.runs()))
    ours = [200 * 3 / 300, 200 * 5 / 300]
    (point,) = found["sam rho=0.1"].points
    assert (point.x, point.x_sd) == pytest.approx((fmean(ours), stdev(ours)))


def test_seconds_are_those_of_the_cost_column(noisy: Results) -> None:
    plot = against_cost(noisy.runs(), over="seconds")
    found = series(plot)
    for row in compare(noisy.runs()).rows:
        if row.n:
            assert found[row.who].points[0].x == pytest.approx(row.cost)
    assert "wall seconds" in plot.caption


@pytest.mark.parametrize("higher", [True, False])
def test_the_front_is_what_no_other_beats(higher: bool) -> None:
    sign = 1.0 if higher else -1.0
    points = [(1.0, 0.7), (1.0, 0.75), (1.5, 0.7), (2.0, 0.9), (2.0, 0.9), (4.0, 0.89)]
    assert pareto([(x, sign * y) for x, y in points], higher) == {1, 3, 4}


def test_mistakes(noisy: Results, sgd: Block) -> None:
    with pytest.raises(ConfigError, match=r"^No finished adam run on digits, cnn, so no cost there"):
        against_cost(noisy.runs(), baseline="adam")
    noisy.add(sgd, 9, (0.5, 0.6, 0.7), status={"threads": 4})
    with pytest.raises(ConfigError, match="so that equal seconds mean nothing; take --over gradients"):
        against_cost(noisy.runs(), over="seconds")
