"""The file `stages.csv` of a run: how each training that it is made of ended, the stages first and itself last."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from samcli.metrics import OF_OWN_LABELS, PARTS, score_among
from samcli.runs.files import write_atomic
from samcli.runs.rows import EpochMetrics

NAME = "stages.csv"


def stage_row(rows: Sequence[EpochMetrics]) -> dict[str, Any]:
    """What is told of a training: its epochs, and of the last row the losses and scores, and what its labels are worth.

    >>> stage_row([{"epoch": 1, "test_accuracy": 0.5}, {"epoch": 2, "test_accuracy": 0.75, "rho": None}])
    {'epochs': 2, 'test_accuracy': 0.75}

    Args:
        rows: of its `metrics.csv`.
    """
    last = rows[-1] if rows else {}
    score = score_among(last).name
    names = [*OF_OWN_LABELS, *(f"{part}_{column}" for part in PARTS for column in ("loss", score))]
    return {"epochs": len(rows), **{name: last[name] for name in names if last.get(name) is not None}}


def write_stages(folder: Path, trainings: Sequence[Mapping[str, Any]]) -> None:
    """Replace the file in a run's folder: a line for each training, counted from 1.

    Args:
        folder: of the run.
        trainings: of each what `stage_row` tells; what one lacks is empty.

    Raises:
        RunBlocked, ResultsError: see `samcli.runs.files.atomic_path`.
    """
    names = list(dict.fromkeys(["epochs", *OF_OWN_LABELS, *(name for one in trainings for name in one)]))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["stage", *names])
    for number, one in enumerate(trainings, 1):
        values = (one.get(name) for name in names)
        writer.writerow([number, *("" if value is None else repr(value) for value in values)])
    write_atomic(folder / NAME, text.getvalue())
