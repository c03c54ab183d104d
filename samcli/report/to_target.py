"""What the runs of a row spend until they reach a target."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from samcli.metrics import higher_is_better
from samcli.report.reading import spent
from samcli.runs.reader import Run
from samcli.stats.target import first_reached, median_with_misses, reaches

UNITS = {"epochs": "epochs", "gradients": "gradient evaluations", "seconds": "training seconds"}


@dataclass(frozen=True)
class ToTarget:
    """How the runs of a row reach a target.

    Attributes:
        target: the value of the metric, in its own unit.
        median: over runs, what was spent up to the first epoch at least as good as the target; infinite where half of
            the runs or more miss it.
        reached: how many runs reach it.
        n: how many runs there are, diverged ones among them, which miss it.
        p: one-sided, of "the mean after the last epoch is at least as good as the target"; None for fewer than two.
    """

    target: float
    median: float
    reached: int
    n: int
    p: float | None


def to_target(runs: Sequence[Run], finals: Sequence[float], metric: str, target: float, budget: str) -> ToTarget | None:
    """What runs of one setting spend until they reach a target; None without finished or diverged runs.

    Args:
        runs: of the setting, of any state.
        finals: the metric after the last epoch of those that count.
        metric: a column of `metrics.csv`.
        target: in its unit.
        budget: what is spent: "epochs", "gradients" or "seconds".

    >>> from samcli.report.example import example_runs
    >>> found = to_target(example_runs()[:2], [0.75, 0.7], "test_accuracy", 0.6, "gradients")
    >>> found.median, found.reached, found.n
    (2000.0, 2, 2)
    """
    ended = [run for run in runs if run.state in ("finished", "diverged")]
    if not ended:
        return None
    each = [None if run.state == "diverged" else _spent(run, metric, target, budget) for run in ended]
    return ToTarget(
        target=target,
        median=median_with_misses(each),
        reached=sum(one is not None for one in each),
        n=len(ended),
        p=reaches(finals, target, higher_is_better=higher_is_better(metric)),
    )


def _spent(run: Run, metric: str, target: float, budget: str) -> float | None:
    """What a run spent until it reached the target; None if it did not, or did not record what it spent."""
    number = first_reached(run.values(metric), target, higher_is_better=higher_is_better(metric))
    if number is None:
        return None
    total = float(number) if budget == "epochs" else spent(run, budget)[number - 1]
    return total if math.isfinite(total) else None
