"""Settings and epochs that are chosen on the validation part, and their test values read once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean

from samcli.errors import ConfigError, nearest
from samcli.metrics import higher_is_better, shown, title
from samcli.report.groups import grouped
from samcli.report.reading import read_run
from samcli.report.row import Row
from samcli.runs.reader import Run
from samcli.words import count

LAST, EPOCH, VALIDATION = "last", "epoch", "validation"
SELECTIONS = (LAST, EPOCH, VALIDATION)


def validation_of(metric: str, select: str, runs: Sequence[Run]) -> str | None:
    """The column of the validation part that belongs to a metric of the test part; None where nothing is chosen.

    Raises:
        ConfigError: no such selection, a metric of another part, or no run has a validation part.

    >>> validation_of("test_accuracy", "last", [])
    """
    if select not in SELECTIONS:
        raise ConfigError(f"There is no selection named {select!r}; {nearest(select, SELECTIONS)}")
    if select == LAST:
        return None
    if not metric.startswith("test_"):
        raise ConfigError(f"--select {select} chooses by the validation part what is read on test, and not {metric}.")
    column = f"validation_{metric.removeprefix('test_')}"
    finished = [run for run in runs if run.state == "finished"]
    if not any(math.isfinite(value) for run in finished for value in run.values(column)):
        raise ConfigError(
            f"No finished run has measured {column}, so that nothing can be chosen by it; train with "
            "--set dataset.validation=0.1."
        )
    return column


def chosen_rows(
    rows: Sequence[Row], settings: Mapping[str, Sequence[Run]], columns: Mapping[str, str | None]
) -> tuple[list[Row], list[str]]:
    """One row for each optimizer, data set and model: the setting with the best mean on validation at the last epoch.

    With an average of its weights an optimizer is another one. A diverged run counts as the worst value there.

    Args:
        rows: of the comparison.
        settings: the runs of each setting.
        columns: of the validation part, by data set and model.

    Returns:
        The rows that are left, and a sentence for each that was chosen among several.

    >>> chosen_rows([], {}, {})
    ([], [])
    """
    kept, notes = [], []
    places = grouped(rows, lambda row: row.place)
    worst = {
        place: worst_of([run for row in here for run in settings[row.setting]], column)
        for place, here in places.items()
        if (column := columns[place]) is not None
    }
    for here in grouped(rows, lambda row: f"{row.place}\n{row.method}").values():
        column = columns[here[0].place]
        if column is None:
            kept += here
            continue
        least = worst[here[0].place]
        means = [validation_mean(settings[row.setting], column, least) for row in here]
        scored = [(mean, row) for mean, row in zip(means, here, strict=True) if mean is not None]
        if len(here) == 1 or not scored:
            kept += here
            continue
        turn = 1.0 if higher_is_better(column) else -1.0
        best, row = max(scored, key=lambda pair: turn * pair[0])
        kept.append(row)
        notes.append(
            f"{row.who} on {row.where} was chosen of {count(len(here), 'setting')} by {title(column)}: "
            f"{shown(best, column)}{_others([mean for mean, other in scored if other is not row], column)}."
        )
    return kept, notes


def worst_of(runs: Sequence[Run], column: str) -> float | None:
    """The worst value that a finished one of these runs has of a column at its end; None without any.

    >>> worst_of([], "validation_accuracy")
    """
    return (min if higher_is_better(column) else max)(_ends(runs, column), default=None)


def validation_mean(runs: Sequence[Run], column: str, worst: float | None) -> float | None:
    """The mean over runs of what a setting is chosen by; None where nothing was measured.

    Args:
        runs: of the setting.
        column: of the validation part.
        worst: what a diverged run counts as, see `worst_of`: a setting is no better for the seeds that it lost.

    >>> from samcli.report.example import example_runs
    >>> validation_mean(example_runs()[:2], "test_accuracy", None)
    0.725
    """
    values = _ends(runs, column)
    if worst is not None:
        values += [worst for run in runs if run.state == "diverged"]
    return fmean(values) if values else None


def _ends(runs: Sequence[Run], column: str) -> list[float]:
    values = [read_run(run, column).last for run in runs if run.state == "finished" and column in run.columns]
    return [value for value in values if value is not None]


def _others(means: Sequence[float], column: str) -> str:
    """What the settings have that were not chosen."""
    if not means:
        return ""
    low, high = shown(min(means), column), shown(max(means), column)
    return f", the others {low if low == high else f'{low} to {high}'}"
