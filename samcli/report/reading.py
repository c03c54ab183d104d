"""The figures that a comparison reads off one run, at its end or where a budget is spent."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, compress
from typing import Any

from samcli.metrics import higher_is_better
from samcli.runs.reader import Run


@dataclass(frozen=True)
class Reading:
    """The figures of one run; None is not measured.

    Attributes:
        last: the metric after the last epoch, or the last within the budget, after which it was to be measured.
        best: the best value up to there.
        sharpness: the last value up to there.
        before: how many epochs before the last one within the budget `last` was measured.
    """

    last: float | None
    best: float | None
    sharpness: float | None
    before: int = 0


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
    totals = [max((n for n in spent(run, budget) if not math.isnan(n)), default=math.nan) for run in runs]
    return min(filter(math.isfinite, totals), default=math.inf)


def read_run(
    run: Run, metric: str, budget: str = "epochs", most: float = math.inf, chosen_by: str | None = None
) -> Reading:
    """The figures of a run at its last epoch that has spent no more than `most` of the budget.

    A metric that is measured after every so many epochs is read at the last of these. With `chosen_by`, a column, it is
    read instead at the first of the epochs up to there that have its best value; nothing where that was not measured.

    >>> from samcli.report.example import example_runs
    >>> run, *_ = example_runs()
    >>> read_run(run, "test_accuracy").last, read_run(run, "test_accuracy", "gradients", most=1999).last
    (0.75, 0.5)
    """
    within = [budget == "epochs" or spent <= most for spent in spent(run, budget)]
    count = sum(within)  # epochs count from 1
    every = interval(run.config, metric)
    due = count if count == len(within) else count - count % every
    if chosen_by is not None:
        count = due = _best_epoch(list(compress(run.values(chosen_by), within)), chosen_by)
    values = list(compress(run.values(metric), within))[:due]
    sharpness = list(compress(run.values("sharpness"), within))
    measured = [value for value in values if math.isfinite(value)]
    return Reading(
        last=values[-1] if values and math.isfinite(values[-1]) else None,
        best=(max if higher_is_better(metric) else min)(measured, default=None),
        sharpness=next((value for value in reversed(sharpness) if not math.isnan(value)), None),
        before=count - due,
    )


def described(run: Run, key: str) -> int | None:
    """A number that `run.json` holds of the run's data set, such as `test_examples` or `classes`; None without it."""
    dataset = run.status.get("dataset")
    number = dataset.get(key) if isinstance(dataset, Mapping) else None
    return number if isinstance(number, int) and not isinstance(number, bool) and number > 0 else None


def interval(config: Mapping[str, Any], metric: str) -> int:
    """After how many epochs a metric is measured, by a run's configuration; it is after the last one in any case.

    >>> config = {"evaluate": {"every": 5}, "sharpness": {"every": 2, "measures": ["lambda-max"]}}
    >>> [interval(config, metric) for metric in ("test_accuracy", "train_loss", "lambda_max")]
    [5, 1, 2]
    """
    sharpness = config.get("sharpness") or {}
    measure = metric.removesuffix("_stderr").replace("_", "-")
    if metric.startswith(("validation_", "test_")):
        every = (config.get("evaluate") or {}).get("every")
    elif metric == "sharpness" or measure in sharpness.get("measures", ("grad-norm",)):
        every = sharpness.get("every")
    else:  # of every epoch; or of the last alone, as what samcli sharpness keeps
        every = 1
    return every if isinstance(every, int) and every > 0 else 1


def _best_epoch(values: Sequence[float], column: str) -> int:
    """The number, from 1, of the first epoch with the best value; 0 if none was measured."""
    turned = [value if higher_is_better(column) else -value for value in values]
    measured = [value for value in turned if math.isfinite(value)]
    return 1 + turned.index(max(measured)) if measured else 0


def spent(run: Run, budget: str) -> list[float]:
    """The total of the budget that was spent up to each epoch; not a number where that was not recorded.

    Args:
        run: any.
        budget: "seconds" of training; any other is gradient evaluations.

    >>> from samcli.report.example import example_runs
    >>> spent(example_runs()[2], "seconds"), spent(example_runs()[2], "gradients")
    ([2.0, 4.0], [2000.0, 4000.0])
    """
    if budget != "seconds":
        return run.values("gradient_evaluations")
    each = run.values("train_seconds")
    totals = accumulate(0.0 if math.isnan(seconds) else seconds for seconds in each)
    return [math.nan if math.isnan(seconds) else total for seconds, total in zip(each, totals, strict=True)]
