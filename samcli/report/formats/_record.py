"""The fields of a row in the formats for programs."""

from __future__ import annotations

from typing import Any

from samcli.report.row import Row
from samcli.runs.documents import STATUSES


def record(row: Row) -> dict[str, Any]:
    """A row as plain values, in the units of `metrics.csv`.

    >>> from samcli.report import compare
    >>> from samcli.report.example import example_runs
    >>> fields = record(compare(example_runs()).rows[0])
    >>> fields["last_mean"], fields["finished"], fields["failed"]
    (0.825, 2, 0)
    """
    found = row.difference
    return {
        "dataset": row.dataset,
        "dataset_settings": row.dataset_settings,
        "model": row.model,
        "model_settings": row.model_settings,
        "optimizer": row.optimizer,
        "settings": row.settings,
        "is_baseline": row.is_baseline,
        "metric": row.metric,
        "n": row.n,
        "last_mean": row.last.mean,
        "last_sd": row.last.sd,
        "best_mean": row.best.mean,
        "best_sd": row.best.sd,
        "difference": found.mean if found else None,
        "difference_low": found.low if found else None,
        "difference_high": found.high if found else None,
        "pairs": found.n if found else None,
        "sharpness": row.sharpness,
        "seconds_per_epoch": row.seconds,
        "cost": row.cost,
        **{state: row.states.get(state, 0) for state in STATUSES},
    }
