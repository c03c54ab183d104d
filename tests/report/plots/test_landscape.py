"""The landscapes that were kept, as a plot: means over seeds, and which slices count."""

import math
from typing import Any

import pytest
from run_folders import Block, Results

from samcli.errors import NothingToCompare
from samcli.report.plots import landscapes
from samcli.runs import RunFolder
from samcli.runs.landscape_file import LandscapeFile

KEY = {"dimensions": 1, "directions": "random", "span": 1.0, "points": 3, "examples": 100, "seed": 0}


def keep(folder: RunFolder, losses: list[float], **key: Any) -> None:
    folder.checkpoint.write_bytes(b"weights")
    entry = {"key": KEY | key, "loss": "cross-entropy in nats", "axes": [[-1.0, 0.0, 1.0]], "losses": losses}
    if key.get("dimensions") == 2:
        entry["axes"] = [[-1.0, 1.0], [0.0, 1.0]]
    LandscapeFile(folder.checkpoint).add([entry | {"examples": 90, "converged": True}], epoch=2)


def test_means_over_seeds(results: Results, sgd: Block, sam: Block) -> None:
    for seed in range(2):
        keep(results.add(sgd, seed, [0.5]), [4.0 + seed, 1.0, 6.0])
        keep(results.add(sam, seed, [0.6]), [2.0, 1.0 + 2.0 * seed, math.inf if seed else 3.0])
    results.add(sam, 2, [0.6])
    plot = landscapes(results.runs())
    (panel,) = plot.panels
    flat, sharp = panel.series
    assert [(p.x, p.y, p.n) for p in sharp.points] == [(-1.0, 4.5, 2), (0.0, 1.0, 2), (1.0, 6.0, 2)]
    assert sharp.points[0].y_sd == pytest.approx(math.sqrt(0.5))
    # where one seed's loss is not finite there is no mean
    assert [(p.x, p.y) for p in flat.points] == [(-1.0, 2.0), (0.0, 2.0)]
    assert plot.notes == ("1 finished run without such a slice left out.",)
    assert panel.y.label == "training loss (cross-entropy in nats)"


def test_slices_that_most_runs_have_count(results: Results, sgd: Block) -> None:
    first, second = results.add(sgd, 0, [0.5]), results.add(sgd, 1, [0.5])
    keep(first, [2.0, 1.0, 2.0])
    keep(second, [2.0, 1.0, 2.0])
    keep(second, [9.0, 1.0, 9.0], directions="leading")
    keep(second, [1.0, 1.0, 1.0, 1.0], dimensions=2, points=2)
    plot = landscapes(results.runs())
    assert [p.y for p in plot.panels[0].series[0].points] == [2.0, 1.0, 2.0]
    assert plot.notes == (
        "Slices were cut in 2 ways; drawn are those with directions random, seed 0, 3 points to a span of 1 and "
        "100 examples.",
    )
    keep(first, [9.0, 1.0, 9.0], directions="leading")
    assert landscapes(results.runs()).panels[0].series[0].points[0].y == 9.0  # of equally many the last ones made


def test_nothing_was_cut(results: Results, sgd: Block) -> None:
    keep(results.add(sgd, 0, [0.5]), [1.0, 1.0, 1.0, 1.0], dimensions=2, points=2)
    with pytest.raises(NothingToCompare, match="samcli landscape RESULTS"):
        landscapes(results.runs())


def test_a_setting_without_a_finite_loss_has_no_line(results: Results, sgd: Block, sam: Block) -> None:
    keep(results.add(sgd, 0, [0.5]), [math.inf, math.nan, math.inf])
    with pytest.raises(NothingToCompare, match="finite; cut narrower ones: --span"):
        landscapes(results.runs())
    keep(results.add(sam, 0, [0.5]), [2.0, 1.0, 2.0])
    plot = landscapes(results.runs())
    ((line,),) = [panel.series for panel in plot.panels]
    assert line.name.startswith("sam")
    assert plot.notes == ("1 setting without a finite loss left out.",)
