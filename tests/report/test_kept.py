"""What measures are called, and how one becomes a metric of its runs."""

import math
from typing import Any

import pytest
from run_folders import Block, Results

from samcli.errors import ConfigError
from samcli.report import compare
from samcli.report.kept import kept_measures
from samcli.runs.sharpness_file import SharpnessFile


def entry(measure: str, value: float | None, converged: bool = True, **key: Any) -> dict[str, Any]:
    key = {"measure": measure, "parameters": {}, "examples": 100, "seed": 0} | key
    details = {"examples": 100, "batch_norm": "evaluation"}
    return {"label": measure, "key": key, "value": value, "stderr": None, "converged": converged, "details": details}


def add(results: Results, optimizer: Block, seed: int, *entries: dict[str, Any]) -> None:
    folder = results.add(optimizer, seed, (0.5, 0.6))
    folder.checkpoint.write_bytes(b"weights")
    SharpnessFile(folder.checkpoint).add(entries, epoch=2)


def test_names_tell_measures_apart(results: Results, sgd: Block) -> None:
    add(
        results,
        sgd,
        0,
        entry("one-step", 1.0, parameters={"rho": 0.1}),
        entry("one-step", 2.0, parameters={"rho": 0.2}),
        entry("worst-case", 3.0, parameters={"rho": 0.2, "after": [], "m": None}),
        entry("worst-case", 4.0, parameters={"rho": 0.2, "after": [0.1], "m": None}),
        entry("trace", 5.0, seed=0),
        entry("trace", 6.0, seed=1),
        entry("lambda-max", 7.0, batch_norm="evaluation"),
    )
    add(results, sgd, 1, entry("lambda-max", 8.0, batch_norm="evaluation"))
    found = {kept.name: list(kept.values.values()) for kept in kept_measures(results.runs())}
    assert found == {
        "one-step rho=0.1": [1.0],
        "one-step rho=0.2": [2.0],
        "worst-case rho=0.2 after=[]": [3.0],
        "worst-case rho=0.2 after=[0.1]": [4.0],
        "trace seed=0": [5.0],
        "trace seed=1": [6.0],
        "lambda-max": [7.0, 8.0],
    }


def test_a_measure_as_a_metric(results: Results, sgd: Block, sam: Block) -> None:
    """The one that has not converged is not in the mean, and a note says so."""
    for seed, value in enumerate((30.0, 10.0, 20.0)):
        add(results, sgd, seed, entry("lambda-max", value))
    add(results, sam, 0, entry("lambda-max", 5.0))
    add(results, sam, 1, entry("lambda-max", 900.0, converged=False))
    comparison = compare(results.runs(), metric="lambda-max")
    first, second = comparison.rows
    assert (first.optimizer, first.last.mean, first.n) == ("sam", 5.0, 1)
    assert (second.optimizer, second.last.mean, second.n) == ("sgd", 20.0, 3)
    assert first.difference is not None
    assert first.difference.mean == pytest.approx(-25.0)
    assert any("1 finished run has no lambda-max" in note for note in comparison.notes)
    assert math.isfinite(second.last.sd or math.nan)


def test_a_name_that_nothing_has(results: Results, sgd: Block) -> None:
    add(results, sgd, 0, entry("lambda-max", 1.0))
    with pytest.raises(ConfigError, match="did you mean lambda-max"):
        compare(results.runs(), metric="lambda-mx")
    with pytest.raises(ConfigError, match=r"known are: .*test_accuracy.*lambda-max"):
        compare(results.runs(), metric="flatness")
