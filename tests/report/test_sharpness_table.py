"""Tables of measured sharpness: every value once, as many columns beside each other as fit."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from samcli.report.sharpness_table import sharpness_legend, sharpness_records, sharpness_table
from samcli.sharpness import Result


@dataclass(frozen=True)
class Checkpoint:
    run: str
    values: dict[str, Result] = field(default_factory=dict)
    epoch: int = 2

    @property
    def checkpoint(self) -> Path:
        return Path("nowhere", f"{self.run}.pt")


DETAILS = {"examples": 60, "batch_norm": "evaluation"}
MEASURES = ("one-step", "worst-case", "average-case", "lambda-max", "grad-norm", "spectral-density")
ROWS = [
    Checkpoint(run, {name: Result(scale + 0.001 * n, details=DETAILS) for n, name in enumerate(MEASURES)})
    for run, scale in (("a", 1.0), ("b", 2.0))
]


@pytest.mark.parametrize(("width", "tables"), [(30, 5), (60, 2), (100, 1)])
def test_as_many_tables_as_the_width_asks_for(width: int, tables: int) -> None:
    text = sharpness_table(ROWS, width=width)
    assert max(map(len, text.splitlines())) <= width
    assert text.count("epoch") == tables
    words = text.split()
    assert words.count("a") == words.count("b") == tables
    assert all(f"{row.values[name].value:.4g}" in words for row in ROWS for name in MEASURES)


def test_marks_errors_and_what_is_missing() -> None:
    rows = [Checkpoint("a", {"trace": Result(9.5, 0.25, False, DETAILS | {"m": 8})}), Checkpoint("b")]
    text = sharpness_table(rows)
    assert "9.5 ± 0.2 *" in text
    assert "m=8" in text
    assert [set(record) for record in sharpness_records(rows)] == [
        {"checkpoint", "epoch", "trace", "trace-stderr", "trace-converged"},
        {"checkpoint", "epoch"},
    ]
    assert sharpness_table([]) == sharpness_table([Checkpoint("b")]) == sharpness_legend([]) == ""


def test_the_legend_says_how_it_was_measured() -> None:
    more = Checkpoint("c", {"trace": Result(1.0, details=DETAILS | {"examples": 100})})
    assert sharpness_legend([*ROWS, more]) == (
        "Mean loss of 60 or 100 training examples, evaluation mode; * has not converged."
    )
    batch = Checkpoint("c", {"trace": Result(1.0, details=DETAILS | {"batch_norm": "batch"})})
    assert "evaluation mode with BatchNorm batch;" in sharpness_legend([batch])


def test_why_there_is_no_value() -> None:
    details = {"examples": 10, "batch_norm": "evaluation", "reason": "the weights are not finite (bias)"}
    row: Any = SimpleNamespace(values={"trace": Result(math.nan, converged=False, details=details)})
    assert sharpness_legend([row, row]).endswith("nan could not be measured: the weights are not finite (bias).")
