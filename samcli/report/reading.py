"""The figures that a comparison reads off one run, at its end or where a budget is spent."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from samcli.metrics import higher_is_better
from samcli.runs.reader import Run

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Reading:
    """The figures of one run; None is not measured.

    Attributes:
        last: the metric after the last epoch, or the last within the budget.
        best: the best value up to there.
        sharpness: the last value up to there.
    """

    last: float | None
    best: float | None
    sharpness: float | None


def smallest_total(runs: Iterable[Run], budget: str) -> float:
    """The smallest total of the budget that any of the runs spent; infinite for one of epochs, and without runs.

    Args:
        runs: finished runs.
        budget: "epochs", "gradients" or "seconds".

    >>> from samcli.report.example import example_runs
    >>> smallest_total(example_runs(), "gradients")
    2000.0
    """
    if budget == "epochs":
        return math.inf
    totals = [float(_spent(run, budget).max()) for run in runs]
    return min(filter(math.isfinite, totals), default=math.inf)


def read_run(run: Run, metric: str, budget: str = "epochs", most: float = math.inf) -> Reading:
    """The figures of a run at its last epoch that has spent no more than `most` of the budget.

    >>> from samcli.report.example import example_runs
    >>> run, *_ = example_runs()
    >>> read_run(run, "test_accuracy").last, read_run(run, "test_accuracy", "gradients", most=1999).last
    (0.75, 0.5)
    """
    within = run.metrics if budget == "epochs" else run.metrics[_spent(run, budget) <= most]
    values = list(within[metric]) if metric in within else []
    measured = [value for value in values if math.isfinite(value)]
    sharpness = within["sharpness"].dropna()
    return Reading(
        last=float(values[-1]) if values and math.isfinite(values[-1]) else None,
        best=(max if higher_is_better(metric) else min)(measured, default=None),
        sharpness=float(sharpness.iloc[-1]) if len(sharpness) else None,
    )


def _spent(run: Run, budget: str) -> pd.Series[float]:
    """The total of the budget that was spent up to each epoch."""
    return run.metrics["gradient_evaluations"] if budget == "gradients" else run.metrics["train_seconds"].cumsum()
