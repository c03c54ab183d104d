"""A trial: settings of an optimizer, what their runs on the tuning seeds came to, and what that cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from samcli.errors import ResultsError
from samcli.metrics import higher_is_better, score_among
from samcli.runs.folder import RunFolder

FINISHED, DIVERGED, FAILED = "finished", "diverged", "failed"


@dataclass(frozen=True)
class Outcome:
    """What one run came to.

    Attributes:
        state: `finished`, `diverged` or `failed`.
        column: the validation score of its task, by the name of the column.
        score: its value after the last epoch; None for a run that did not finish.
        evaluations: gradient evaluations, in units of one example's, as far as they were recorded.
    """

    state: str
    column: str
    score: float | None
    evaluations: int


def outcome_of(folder: Path, state: str) -> Outcome:
    """The outcome of a run, read from its folder; nothing is read of the test part.

    Args:
        folder: that of the run.
        state: `finished`, `diverged` or `failed`.

    Raises:
        ResultsError: it finished, and its table cannot be read or has no validation score.

    >>> outcome_of(Path("nowhere"), "failed")
    Outcome(state='failed', column='validation_accuracy', score=None, evaluations=0)
    """
    files = RunFolder(folder)
    try:
        names, rows = files.read_table()
    except ResultsError:
        if state == FINISHED:
            raise
        names, rows = [], []
    column = f"validation_{score_among(names).name}"
    last = rows[-1] if rows else {}
    score = last.get(column) if state == FINISHED else None
    if state == FINISHED and (score is None or not math.isfinite(score)):
        raise ResultsError(f"{folder} has finished without a {column}; remove it and run the same command again.")
    return Outcome(state, column, score, int(last.get("gradient_evaluations") or 0))


@dataclass(frozen=True)
class Trial:
    """Settings of a contender that were tried.

    Attributes:
        number: in the order of the contender's trials, from 0.
        settings: those that are searched.
        outcomes: of its runs, by seed.
        unit: the gradient evaluations of a trial whose optimizer makes one pass a step.
    """

    number: int
    settings: Mapping[str, Any]
    outcomes: Mapping[int, Outcome]
    unit: int

    @property
    def state(self) -> str:
        """`failed` or `diverged` if any of its runs is, else `finished`."""
        states = {one.state for one in self.outcomes.values()}
        return next((state for state in (FAILED, DIVERGED) if state in states), FINISHED)

    @property
    def value(self) -> float | None:
        """The mean over the seeds of the validation score after the last epoch; None unless all runs finished."""
        scores = [one.score for one in self.outcomes.values() if one.score is not None]
        return fmean(scores) if self.state == FINISHED else None

    @property
    def evaluations(self) -> int:
        """The gradient evaluations of all its runs."""
        return sum(one.evaluations for one in self.outcomes.values())

    @property
    def units(self) -> float:
        """The same in trials of an optimizer that makes one pass a step: 2.0 for SAM."""
        return self.evaluations / self.unit


def column_of(trials: Sequence[Trial]) -> str:
    """The validation score that trials are judged by.

    >>> column_of([Trial(0, {}, {7: Outcome("finished", "validation_r2", 0.5, 10)}, 10)])
    'validation_r2'
    """
    columns = [one.column for trial in trials for one in trial.outcomes.values() if one.state == FINISHED]
    return columns[0] if columns else "validation_accuracy"


def best_of(trials: Sequence[Trial]) -> Trial | None:
    """The trial with the best value; of equal ones the first. None if none finished.

    >>> first, second = (Trial(n, {}, {7: Outcome("finished", "validation_accuracy", 0.9, 10)}, 10) for n in (0, 1))
    >>> best_of([second, first]).number
    0
    """
    turn = 1.0 if higher_is_better(column_of(trials)) else -1.0
    judged = [(-turn * trial.value, trial.number, trial) for trial in trials if trial.value is not None]
    return min(judged, key=lambda each: each[:2])[2] if judged else None
