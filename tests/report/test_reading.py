"""What is read off one run."""

import math

import pytest
from run_folders import Block, Results

from samcli.report.reading import Reading, read_run, smallest_total


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
