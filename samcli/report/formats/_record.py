"""The fields of a row in the formats for programs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from samcli.report.cells import Column
from samcli.report.row import Row
from samcli.report.timing import seconds
from samcli.runs.documents import STATUSES


def record(row: Row, columns: Sequence[Column] | None = None) -> dict[str, Any]:
    """A row as plain values, in the units of `metrics.csv`; of all columns, or of some.

    >>> from samcli.report import compare
    >>> from samcli.report.example import example_runs
    >>> fields = record(compare(example_runs()).rows[0])
    >>> fields["last_mean"], fields["finished"], fields["failed"]
    (0.825, 2, 0)
    """
    found, verdict, target = row.difference, row.verdict, row.to_target
    fields = {
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
        "verdict": str(verdict.word) if verdict else None,
        "p": verdict.p if verdict else None,
        "p_adjusted": verdict.p_adjusted if verdict else None,
        "p_holm": verdict.p_holm if verdict else None,
        "p_t": verdict.p_t if verdict else None,
        "effect_size": _finite(verdict.effect) if verdict else None,
        "superiority": verdict.superiority if verdict else None,
        "detectable": verdict.detectable if verdict else None,
        "target_median": _finite(target.median) if target else None,
        "target_reached": target.reached if target else None,
        "target_runs": target.n if target else None,
        "target_p": target.p if target else None,
        "sharpness": row.sharpness,
        "passes": row.passes,
        "seconds_per_epoch": row.seconds,
        "cpu_seconds_per_epoch": seconds(list(row.timings.values()), "cpu"),
        "cost": row.cost,
        "cost_clock": row.cost_clock,
        **{state: row.states.get(state, 0) for state in STATUSES},
        "at_chance": len(row.at_chance),
    }
    if columns is None:
        return fields
    return {name: fields[name] for column in columns for name in column.fields}


def _finite(value: float | None) -> float | None:
    """The value, or nothing where it is infinite, which these formats cannot say."""
    return value if value is not None and math.isfinite(value) else None
