"""What a search tells: every trial for `tune.csv`, a row for each optimizer, and what to be wary of."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from samcli.config.tune import Axis, Range, Tuning
from samcli.escape import visible
from samcli.metrics import shown, title
from samcli.report.settings import spoken
from samcli.report.small_table import in_csv
from samcli.tune.budget import spent
from samcli.tune.contender import Contender, settings_words
from samcli.tune.search import Progress
from samcli.tune.trial import DIVERGED, FAILED, best_of, column_of
from samcli.words import count, joined, seeds

NEAR = 0.05  # share of a range that counts as its edge


def trial_rows(progress: Progress) -> list[dict[str, Any]]:
    """A row for each trial, with the settings that are searched and the score of each seed.

    `gradient_evaluations` are in units of one example's, `evaluations` in trials of an optimizer of one pass a step.
    """
    rows = []
    for one in progress.contenders:
        for trial in progress.trials[one.name]:
            row: dict[str, Any] = {"optimizer": one.name, "trial": trial.number, "state": trial.state}
            row |= {f"optimizer.{key}": _cell(value) for key, value in trial.settings.items()}
            column = column_of([trial])
            row |= {f"{column}_seed{seed}": outcome.score for seed, outcome in trial.outcomes.items()}
            rows.append(
                row | {column: trial.value, "evaluations": trial.units, "gradient_evaluations": trial.evaluations}
            )
    return rows


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    r"""Rows as the text of a CSV file; what a row has not, or is None, stays empty.

    >>> as_csv([{"optimizer": "sgd", "trial": 0}, {"optimizer": "sam", "optimizer.rho": 0.1}])
    'optimizer,trial,optimizer.rho\nsgd,0,\nsam,,0.1\n'
    """
    columns = sorted(dict.fromkeys(key for row in rows for key in row), key=_place)
    return in_csv([{column: row.get(column) for column in columns} for row in rows])


def _place(column: str) -> int:
    """Settings stand before scores, and scores before what they cost, whichever row has them first."""
    if column.startswith("validation_"):
        return 2
    return 3 if column.endswith("evaluations") else 1 if column.startswith("optimizer.") else 0


def _cell(value: Any) -> Any:
    return (
        value
        if isinstance(value, int | float | str) and not isinstance(value, bool)
        else settings_words({"": value})[1:]
    )


def summary(progress: Progress) -> list[dict[str, Any]]:
    """What a search has found for each optimizer, in plain values."""
    found = []
    for one in progress.contenders:
        trials = progress.trials[one.name]
        best = best_of(trials)
        found.append(
            {
                "optimizer": one.name,
                "trials": len(trials),
                "diverged": sum(trial.state == DIVERGED for trial in trials),
                "failed": sum(trial.state == FAILED for trial in trials),
                "best_trial": None if best is None else best.number,
                "settings": None if best is None else dict(best.settings),
                "metric": column_of(trials),
                "value": None if best is None else best.value,
                "gradient_evaluations": sum(trial.evaluations for trial in trials),
                "evaluations": sum(trial.units for trial in trials),
                "counted": spent(trials),
            }
        )
    return found


def summary_texts(progress: Progress) -> list[dict[str, str]]:
    """The same as the texts of a table."""
    rows = []
    for found in summary(progress):
        value, settings = found["value"], found["settings"]
        rows.append(
            {
                "Optimizer": found["optimizer"],
                "Trials": str(found["trials"]),
                "Diverged": str(found["diverged"]),
                "Validation": "" if value is None else shown(value, found["metric"]),
                "Evaluations": f"{found['evaluations']:.2f}",
                "Chosen": "no trial finished" if settings is None else settings_words(settings),
            }
        )
    return rows


def heading(progress: Progress) -> str:
    """What was searched on, and what the column *Validation* holds."""
    run = progress.contenders[0].run
    column = column_of([trial for trials in progress.trials.values() for trial in trials])
    data = run.dataset["name"]
    return visible(f"{spoken([data])[data]}, {run.model['name']}: {title(column)}") + "\n"


def warnings_of(progress: Progress) -> Iterator[str]:
    """Sentences on what a reader should know before believing the choice."""
    for one in progress.contenders:
        trials = progress.trials[one.name]
        failed = sum(trial.state == FAILED for trial in trials)
        if failed:
            are = "counts" if failed == 1 else "count"
            yield f"{one.name}: {count(failed, 'trial')} failed and {are} as the worst; --retry-failed tries again."
        if not one.axes:
            yield f"{one.name} has no option of the space: it was not tuned, and the others were."
        best = best_of(trials)
        if best is not None and (edges := [edge for key in one.axes if (edge := _edge(one, key, best.settings[key]))]):
            yield f"{one.name}: the best {joined(edges)}; widen it."


def plan_rows(contenders: Sequence[Contender], tuning: Tuning) -> list[dict[str, Any]]:
    """What is to be searched for each optimizer, in plain values."""
    search = tuning.search
    rows = []
    for one in contenders:
        first = settings_words(one.starts[0]) if one.starts else ""
        row: dict[str, Any] = {"optimizer": one.name, "searched": " ".join(map(_axis_words, one.axes.items()))}
        row |= {"trials": search.trials} if search.trials else {"evaluations": search.evaluations}
        rows.append({**row, "first": first})
    return rows


def _axis_words(named: tuple[str, Axis]) -> str:
    key, axis = named
    if isinstance(axis, Range):
        return f"{key}={axis.low:g}..{axis.high:g}{' (log)' if axis.log else ''}"
    return settings_words({key: axis.values})


def comment(progress: Progress, tuning: Tuning, optuna: str, left_out: Sequence[str] = ()) -> list[str]:
    """The lines on top of the file that is written: how its settings were found.

    Args:
        progress: the search, at its end.
        tuning: how was searched.
        optuna: the version of it.
        left_out: what the hypotheses say that are not in the file.
    """
    search, column = tuning.search, column_of([t for trials in progress.trials.values() for t in trials])
    allowance = f"{search.trials} trials each" if search.trials else f"{search.evaluations:g} evaluations each"
    lines = [
        f"from {visible(tuning.source.name)}: {allowance}, {search.sampler} of Optuna {optuna} with seed "
        f"{search.sampler_seed}, on {seeds(tuning.seeds)},",
        f"chosen by {column} after the last epoch; evaluations count trials of an optimizer of one pass a step.",
    ]
    for row in summary(progress):
        lines.append(
            f"{visible(row['optimizer'])}: trial {row['best_trial']} of {row['trials']} "
            f"({row['diverged'] + row['failed']} broke off), {row['evaluations']:.2f} evaluations, "
            f"{visible(settings_words(row['settings']))} gave {row['value']:.6g}"
        )
    return [*lines, *(f"left out, for it is on settings that were not chosen: {visible(says)}" for says in left_out)]


def _edge(one: Contender, key: str, value: Any) -> str | None:
    """That a value lies near an end of its range beyond which the option goes on; None if it does not."""
    axis = one.axes[key]
    if not isinstance(axis, Range):
        return None
    low, high, here = (math.log(x) if axis.log else x for x in (axis.low, axis.high, value))
    share = (here - low) / (high - low)
    ends = ((share <= NEAR, axis.open[0], "lower", axis.low), (share >= 1 - NEAR, axis.open[1], "upper", axis.high))
    for is_near, goes_on, word, end in ends:
        if is_near and goes_on:
            return f"{key}={value:g} lies at the {word} end of its range, {end:g}"
    return None
