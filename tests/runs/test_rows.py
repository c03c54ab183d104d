"""Rows as text: what is written comes back bit for bit, and what no run records does not come in."""

import math
import random

import pytest

from samcli.metrics import NEWER_COLUMNS, columns
from samcli.runs.rows import EpochMetrics, from_csv, rows_fault, to_csv

CLASSIFICATION = columns("accuracy")
UNBOUNDED = ("train_loss", "sharpness", "grad_norm", "learning_rate", "rho")


def test_round_trip_bit_for_bit() -> None:
    random.seed(0)
    rows: list[EpochMetrics] = [
        {name: random.random() for name in CLASSIFICATION}
        | {name: random.uniform(-1, 1) * 10.0 ** random.randint(-300, 300) for name in UNBOUNDED}
        | {"epoch": epoch, "sharpness": None, "gradient_evaluations": 10**12 + epoch, "rho": 5e-324, "skipped_steps": 0}
        for epoch in range(1, 50)
    ]
    header, read = from_csv(to_csv(rows))
    assert (header, read) == (CLASSIFICATION, rows)
    assert all(type(row["epoch"]) is int and row["sharpness"] is None for row in read)


def test_a_file_of_an_earlier_version_is_read() -> None:
    """One without the columns that are younger than it."""
    older = [name for name in CLASSIFICATION if name not in NEWER_COLUMNS]
    assert from_csv(f"{','.join(older)}\n1{',1' * (len(older) - 1)}\n") == (older, [dict.fromkeys(older, 1)])


def row(epoch: int = 1, **values: float | int | None) -> EpochMetrics:
    return {"epoch": epoch, "train_loss": 0.5, "test_accuracy": 0.5, "gradient_evaluations": 10 * epoch, **values}


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ([row(1), row(1)], "has the epochs 1, 1 where they should count from 1 to 2"),
        ([row(2), row(1)], "has the epochs 2, 1 where"),
        ([row(1), row(3)], "has the epochs 1, 3 where"),
        ([row(-5)], "has the epochs -5 where"),
        ([row(1, test_accuracy=5)], "has an impossible test_accuracy, 5"),
        ([row(1, test_accuracy=-0.1)], "has an impossible test_accuracy, -0.1"),
        ([row(1, validation_accuracy=math.nan)], "has an impossible validation_accuracy, nan"),
        ([row(1, train_loss=math.inf)], "has an impossible train_loss, inf"),
        ([row(1, train_loss=math.nan)], "has an impossible train_loss, nan"),
        ([row(1, train_seconds=-1.0)], "has an impossible train_seconds, -1.0"),
        ([row(1, cpu_seconds=math.inf)], "has an impossible cpu_seconds, inf"),
        ([row(1, gradient_evaluations=0.5)], "has an impossible gradient_evaluations, 0.5"),
        ([row(1), row(2, gradient_evaluations=3)], "has an impossible gradient_evaluations, 3"),
        ([row(1, skipped_steps=-1)], "has an impossible skipped_steps, -1"),
        ([row(1, test_r2=0.5)], "has columns of two scores, accuracy and r2"),
    ],
)
def test_what_no_run_records(rows: list[EpochMetrics], fault: str) -> None:
    assert str(rows_fault(rows)).startswith(fault)


def test_what_runs_record() -> None:
    assert rows_fault([]) is None
    assert rows_fault([row(1), row(2, sharpness=-0.1, rho=None, trace=-3.0, test_accuracy=1)]) is None
    assert rows_fault([{"epoch": 1, "test_loss": -4.0, "test_r2": -107.77}]) is None
    # scores on request stand beside that of the task, and say nothing of what it is
    asked = {"test_macro_f1": 0.4, "validation_macro_f1": 0.3, "test_roc_auc": None, "test_log_loss": 3.0}
    assert rows_fault([row(1, **asked)]) is None
    names, (read,) = from_csv(to_csv([row(1, **asked)]))
    assert names == [*CLASSIFICATION, *asked]
    assert {name: read[name] for name in asked} == asked
    assert str(rows_fault([row(1, test_macro_f1=1.2)])).startswith("has an impossible test_macro_f1, 1.2")
    assert from_csv(to_csv([{"epoch": 1, "test_r2": 0.5, "test_mae": 30.0, "test_rmse": 40.0}]))[0][2] == "train_r2"


HEADER = ",".join(CLASSIFICATION)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (HEADER + ",epoch\n", "two columns of one name"),
        (HEADER + "\n1_0" + "," * 17 + "\n", "something other than a number"),
        (HEADER + "\n\u0663" + "," * 17 + "\n", "something other than a number"),  # an Arabic three
        (HEADER + "\n" + "1" * 5000 + "," * 17 + "\n", "something other than a number"),
        (HEADER + "\n" + "x" * 200_000 + "," * 17 + "\n", "is no table"),
        (HEADER + '\n"1' + "," * 17 + "\n", "torn row"),
    ],
)
def test_texts_that_are_no_table(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        from_csv(text)
