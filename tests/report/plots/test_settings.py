"""Which runs are in a plot, what is said of the others, and how many it takes."""

import pytest
from run_folders import Block, Results

from samcli.errors import ConfigError, NothingToCompare
from samcli.report.plots import against_sharpness, curves


def test_unfinished_and_repeated_runs_are_named(noisy: Results, sgd: Block, sam: Block) -> None:
    noisy.add(sgd, 7, (0.5, 0.5, 0.5), status={"status": "diverged"})
    noisy.add(sgd, 8, (0.5,), status={"status": "failed"}, epochs=3)
    repeated = noisy.add(sgd, 0, (0.1, 0.1, 0.1), status={"started": "2020-01-01"})
    plot = curves(noisy.runs())
    assert [(one.name, one.points[0].n) for one in plot.panels[0].series] == [("sam rho=0.1", 4), ("sgd", 3)]
    assert plot.notes == (
        "sgd on digits, cnn: not drawn are diverged seed 7 and failed seed 8, which flatters it.",
        "sam rho=5 on digits, cnn: not drawn are diverged seed 0.",
        f"{repeated.path} repeats a run with the same settings and seed; it is not drawn.",
    )


def test_nothing_to_draw(results: Results, sgd: Block) -> None:
    with pytest.raises(NothingToCompare, match="There are no runs to plot; train some first: samcli train"):
        curves([])
    results.add(sgd, 0, (0.5,), status={"status": "failed"})
    with pytest.raises(NothingToCompare, match="No run has finished; samcli runs tells"):
        curves(results.runs())


def test_too_many_lines(results: Results, sgd: Block) -> None:
    for number in range(31):
        results.add({**sgd, "lr": 0.01 * (number + 1)}, 0, (0.5,))
    with pytest.raises(ConfigError) as refused:
        curves(results.runs())
    assert str(refused.value) == (
        "31 settings are too many for one picture, which has room for 30; name the folders of fewer runs, such as "
        f"{results.path / 'trial' / '*-sgd-*'}"
    )
    assert len(curves(results.runs()[:30]).names) == 30
    assert len(against_sharpness(results.runs()).names) == 31


def test_too_many_panels(results: Results, sgd: Block) -> None:
    for number in range(7):
        results.add(sgd, 0, (0.5,), dataset={"name": f"data-{number}"})
    with pytest.raises(ConfigError, match="7 data sets and models are too many for one picture, which has room for 6"):
        curves(results.runs())
    assert len(curves(results.runs()[:6]).panels) == 6
