"""Curves over training: the means, the spreads and where there is none, against pandas on the files."""

import math
from pathlib import Path

import pandas as pd
import pytest
from run_folders import Block, Results

from samcli.errors import ConfigError
from samcli.report import compare
from samcli.report.plot import Series
from samcli.report.plots import curves


def tables(path: Path, runs: range) -> pd.DataFrame:
    """The epochs of some runs, read by pandas alone."""
    read = [pd.read_csv(path / "trial" / f"run{number:03}" / "metrics.csv") for number in runs]
    return pd.concat([table.assign(spent=table["train_seconds"].cumsum()) for table in read])


def coordinates(one: Series) -> list[tuple[float | None, float, float | None, int]]:
    return [(point.x, point.y, point.y_sd, point.n) for point in one.points]


def test_means_and_spreads_over_seeds(noisy: Results) -> None:
    (panel,) = curves(noisy.runs()).panels
    assert (panel.where, panel.x.name, panel.y.label, panel.y.factor) == (
        "digits, cnn",
        "epoch",
        "test accuracy in %",
        100.0,
    )
    assert [one.name for one in panel.series] == ["sam rho=0.1", "sgd"]
    for one, numbers in zip(panel.series, (range(3, 7), range(3)), strict=True):
        by_epoch = tables(noisy.path, numbers).groupby("epoch")["test_accuracy"].agg(["mean", "std", "count"])
        expected = list(by_epoch.reset_index().itertuples(index=False, name=None))
        assert coordinates(one) == [pytest.approx(row) for row in expected]


@pytest.mark.parametrize(("over", "column"), [("gradients", "gradient_evaluations"), ("seconds", "spent")])
def test_over_what_was_spent_x_is_a_mean_too(results: Results, sgd: Block, over: str, column: str, sam: Block) -> None:
    for seed, amount in enumerate((1, 2, 6)):
        results.add(sgd, seed, (0.5, 0.6, 0.8 + 0.01 * seed), seconds=amount, gradients=100 * amount)
    ((one,),) = (panel.series for panel in curves(results.runs(), "test_loss", over).panels)
    by_epoch = tables(results.path, range(3)).groupby("epoch")[[column, "test_loss"]].mean()
    assert [(point.x, point.y) for point in one.points] == [
        pytest.approx(row) for row in by_epoch.itertuples(index=False, name=None)
    ]


def test_drawn_at_the_epochs_that_were_measured(results: Results, sgd: Block) -> None:
    for seed in range(2):
        results.add(sgd, seed, (0.5, 0.6, 0.65, 0.7, 0.8), evaluate={"every": 2})
    runs = results.runs()
    for run in runs:
        run.table[[0, 2], run.columns.index("test_accuracy")] = math.nan
    ((one,),) = (panel.series for panel in curves(runs).panels)
    assert [point.x for point in one.points] == [2.0, 4.0, 5.0]


def test_no_further_than_the_first_of_the_seeds(results: Results, sgd: Block) -> None:
    """And no mean over the seeds that are left."""
    for seed, values in enumerate(((0.5, 0.6, 0.7, 0.8), (0.6, 0.8))):
        results.add(sgd, seed, values, epochs=9, stop_at_train_loss=0.1)
    plot = curves(results.runs())
    assert [point.n for point in plot.panels[0].series[0].points] == [2, 2]
    assert plot.notes == (
        "sgd on digits, cnn is drawn up to 2 epochs, where the first of its seeds ended; the last one ended after 4.",
    )


def test_one_seed_has_no_spread(results: Results, sgd: Block) -> None:
    results.add(sgd, 0, (0.5, 0.6))
    plot = curves(results.runs())
    assert [point.y_sd for point in plot.panels[0].series[0].points] == [None, None]
    assert plot.caption == "one seed"


def test_seconds_of_other_conditions_are_refused_as_compare_refuses_them(results: Results, sgd: Block) -> None:
    for seed, threads in enumerate((1, 2)):
        results.add(sgd, seed, (0.5, 0.6), status={"threads": threads})
    with pytest.raises(ConfigError) as here:
        curves(results.runs(), over="seconds")
    with pytest.raises(ConfigError) as there:
        compare(results.runs(), budget="seconds")
    assert str(here.value) == str(there.value).replace("--budget gradients", "--over gradients")
    assert len(curves(results.runs(), over="gradients").panels) == 1


def test_losses_over_two_decades_are_logarithmic_and_accuracies_never(results: Results, sgd: Block) -> None:
    results.add(sgd, 0, (0.005, 0.9))
    results.add(sgd, 1, (0.005, 0.9))
    assert not curves(results.runs()).panels[0].y.is_logarithmic
    results.add({**sgd, "lr": 1.0}, 0, (0.1, 0.9999))
    assert curves(results.runs(), "test_loss").panels[0].y.is_logarithmic


def test_a_panel_for_each_data_set_with_its_own_score(results: Results, sgd: Block) -> None:
    results.add(sgd, 0, (0.5, 0.6))
    results.add(sgd, 0, (0.3, 0.4), metric="r2", dataset={"name": "diabetes"}, model={"name": "linear"})
    plot = curves(results.runs())
    assert [(panel.where, panel.y.name) for panel in plot.panels] == [
        ("diabetes, linear", "test_r2"),
        ("digits, cnn", "test_accuracy"),
    ]
    assert plot.names == ["sgd"]
