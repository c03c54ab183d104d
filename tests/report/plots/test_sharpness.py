"""Test scores against sharpness: a point for each run."""

import math

import pytest
from run_folders import Block, Results

from samcli.errors import ConfigError
from samcli.report.plots import against_sharpness


def test_a_point_for_each_finished_run(noisy: Results) -> None:
    (panel,) = against_sharpness(noisy.runs()).panels
    drawn = {(one.name, point.x, point.y, point.seed) for one in panel.series for point in one.points}
    assert drawn == {
        *(("sgd", 0.08, value, seed) for seed, value in enumerate((0.72, 0.71, 0.73))),
        *(("sam rho=0.1", 0.02, value, seed) for seed, value in enumerate((0.82, 0.83, 0.81, 0.90))),
    }


def test_another_measure_and_runs_without_it(results: Results, sgd: Block) -> None:
    results.add(sgd, 0, (0.5, 0.25))
    results.add(sgd, 1, (0.5, 0.25))
    runs = results.runs()
    runs[1].table[-1, runs[1].columns.index("test_loss")] = math.nan
    plot = against_sharpness(runs, "test_loss")
    assert [(point.x, point.y) for point in plot.panels[0].series[0].points] == [(0.75, 0.25)]
    assert plot.notes == ("digits, cnn: 1 finished run without test_loss or test_accuracy after the last epoch.",)


def test_no_measure(results: Results, sgd: Block) -> None:
    results.add(sgd, 0, (0.5,), sharpness=None)
    with pytest.raises(ConfigError, match="No run has measured sharpness"):
        against_sharpness(results.runs())
