"""What is read off one run."""

import dataclasses
import math

import pytest
from run_folders import Block, Results

from samcli.report.reading import Reading, read_run, smallest_total
from samcli.runs import Run


def test_at_the_end_and_within_a_budget(results: Results, sgd: Block) -> None:
    results.add(sgd, 0, (0.5, 0.8, 0.7), seconds=2.0, gradients=10, sharpness=0.3)
    (run,) = results.runs()
    assert read_run(run, "test_accuracy") == Reading(last=0.7, best=0.8, sharpness=0.3)
    assert read_run(run, "test_accuracy", "gradients", 20.0).last == 0.8
    assert read_run(run, "test_accuracy", "gradients", 19.9).last == 0.5
    assert read_run(run, "test_accuracy", "seconds", 22.0).last == 0.8  # 20 + 2: the sum over epochs
    assert read_run(run, "test_accuracy", "gradients", 9.0) == Reading(None, None, None)
    assert read_run(run, "test_loss").best == pytest.approx(0.2)
    assert read_run(run, "test_r2").last is None


def test_sharpness_is_the_last_measured(results: Results, sgd: Block) -> None:
    folder = results.add(sgd, 0, (0.5, 0.8))
    rows = folder.read_metrics()
    rows[1]["sharpness"] = None
    folder.write_metrics(rows)
    assert read_run(results.runs()[0], "test_accuracy").sharpness == 0.01


def test_limit_is_the_smallest_total(results: Results, sgd: Block) -> None:
    results.add(sgd, 0, (0.5, 0.8), gradients=10)
    results.add(sgd, 1, (0.5,), gradients=15)
    results.add(sgd, 2, (), status={"status": "finished"})
    runs = results.runs()
    assert smallest_total(runs, "gradients") == 15
    assert smallest_total(runs, "seconds") == 10
    assert smallest_total(runs, "epochs") == math.inf
    assert smallest_total([], "gradients") == math.inf


@pytest.fixture
def spaced(results: Results, sgd: Block) -> Run:
    """Seven epochs of ten gradient evaluations, evaluated after the third, the sixth and the last."""
    folder = results.add(sgd, 0, (0.0, 0.0, 0.8, 0.0, 0.0, 0.7, 0.75), gradients=10, evaluate={"every": 3})
    rows = folder.read_metrics()
    for index in (0, 1, 3, 4):
        rows[index] |= {"test_accuracy": None, "test_loss": None}
    folder.write_metrics([row | {"train_loss": float(row["epoch"] or 0)} for row in rows])
    (run,) = results.runs()
    return run


@pytest.mark.parametrize(
    ("most", "last", "best", "before"),
    [(70, 0.75, 0.8, 0), (69, 0.7, 0.8, 0), (59, 0.8, 0.8, 2), (30, 0.8, 0.8, 0), (29, None, None, 2)],
)
def test_a_budget_is_read_at_the_last_evaluation_within(
    spaced: Run, most: float, last: float | None, best: float | None, before: int
) -> None:
    found = read_run(spaced, "test_accuracy", "gradients", most)
    assert (found.last, found.best, found.before) == (last, best, before)


def test_training_figures_are_read_at_every_epoch(spaced: Run) -> None:
    assert read_run(spaced, "train_loss", "gradients", 59).last == 5.0


def test_without_a_budget_the_last_epoch_is_read(spaced: Run) -> None:
    assert read_run(spaced, "test_accuracy") == Reading(last=0.75, best=0.8, sharpness=0.01)


def test_a_measure_that_was_due_and_has_no_value_is_none_of_an_earlier_epoch(results: Results, sgd: Block) -> None:
    """It has not converged there: what it was before says nothing of that epoch."""
    folder = results.add(sgd, 0, (0.5,) * 5, gradients=10, sharpness=None)
    rows = folder.read_metrics()
    rows[1]["sharpness"] = 0.3
    folder.write_metrics(rows)
    (run,) = results.runs()
    run = dataclasses.replace(run, config=run.config | {"sharpness": {"every": 2}})
    assert read_run(run, "sharpness", "gradients", 49).last is None  # due after the fourth
    assert read_run(run, "sharpness", "gradients", 39).last == 0.3
