"""The sentences that a reader of a comparison needs: which runs are not in the figures, which figures say little.

Nothing is left out of a mean or a difference without a sentence here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from samcli.config.schema import may_end_early
from samcli.metrics import EPOCH_OF_NETWORK
from samcli.report.conditions import differing, shown
from samcli.report.doubts import doubts, namer
from samcli.report.groups import finished_by_setting, grouped
from samcli.report.judged import limits_of_verdicts
from samcli.report.mixtures import mixtures
from samcli.report.order import compete
from samcli.report.reading import interval
from samcli.report.row import Row
from samcli.report.timing import evaluations
from samcli.runs.reader import Run
from samcli.words import count, joined, seeds

EQUAL = 1.05  # the ratio of gradient evaluations up to which rows of different length had equal compute
_UNITS = {"gradients": "gradient evaluations", "seconds": "training seconds"}


def collect_notes(
    rows: Sequence[Row],
    baseline: str,
    budget: str,
    limits: Mapping[str, float],
    places: Mapping[str, Sequence[Run]],
    duplicates: Sequence[Run],
) -> list[str]:
    """All notes on a comparison, each one or two sentences.

    Args:
        rows: the rows of the comparison.
        baseline: the optimizer, possibly with settings, that the others are compared to.
        budget: what the runs have equal.
        limits: the budget of each place, that is data set and model.
        places: the runs of each place.
        duplicates: runs left out because another one has their setting and seed.

    >>> collect_notes([], "sgd", "epochs", {}, {}, [])
    []
    """
    name = namer(rows)
    return [
        *_budgets(rows, budget, limits),
        *_intervals(rows, name),
        *_stops(rows, budget, places, name),
        *_lengths(rows, budget),
        *_competing(rows),
        *_unfinished(rows),
        *_unmeasured(rows, name),
        *_baselines(rows, baseline),
        *_pairs(rows, baseline, name),
        *limits_of_verdicts(rows),
        *doubts(rows, places, name),
        *mixtures(rows, places, name),
        *_conditions(rows, places),
        *(f"{run.folder} repeats a run with the same settings and seed; it is not counted." for run in duplicates),
    ]


def _budgets(rows: Sequence[Row], budget: str, limits: Mapping[str, float]) -> Iterator[str]:
    each = {row.where: limits[row.place] for row in rows if limits[row.place] < math.inf}
    if not each:  # a budget of epochs, or nothing finished
        return
    shown = {where: f"{amount:,.0f}" if amount >= 100 else f"{amount:.3g}" for where, amount in each.items()}
    amounts = "; ".join(f"{where}: {amount}" for where, amount in shown.items())
    yield (
        f"Every run is read at its last epoch within equal {_UNITS[budget]} ({amounts}). "
        "A run whose learning-rate schedule had not ended there is at a disadvantage."
    )


def _intervals(rows: Sequence[Row], name: Callable[[Row], str]) -> Iterator[str]:
    """Which epochs were measured, where not all of them were: what there was to choose from, and to read."""
    for metric in dict.fromkeys(row.metric for row in rows):
        numbers = sorted({interval(row.config, metric) for row in rows if row.metric == metric and row.n})
        if numbers and numbers[-1] > 1:
            often = joined(["epoch" if number == 1 else f"{number} epochs" for number in numbers], "or")
            unequal = "; a row that was measured more often had more to choose from" if len(numbers) > 1 else ""
            yield f"{metric} was measured after every {often} and after the last: Best is the best of these{unequal}."
    for row in rows:
        if row.before:
            yield (
                f"{name(row)}: {row.metric} is read at the last epoch within the budget that was measured, "
                f"up to {count(row.before, 'epoch')} before the budget is spent."
            )


def _stops(
    rows: Sequence[Row], budget: str, places: Mapping[str, Sequence[Run]], name: Callable[[Row], str]
) -> Iterator[str]:
    lengths = []
    finished = finished_by_setting(places)
    for row in rows:
        stop = row.config.get("stop_at_train_loss")
        if stop is None:
            continue
        runs = finished[row.setting]
        lengths += [len(run.table) for run in runs]
        above = sum(not any(loss <= stop for loss in run.values("train_loss")) for run in runs)
        if above:
            yield f"{name(row)}: {above} of {count(len(runs), 'run')} did not reach the training loss {stop:g}."
    if lengths and budget == "epochs":
        yield f"Runs that end at a training loss are read there, after {_span(lengths)}."
    yield from _early_stopping(rows, budget, finished)


def _early_stopping(rows: Sequence[Row], budget: str, finished: Mapping[Any, Sequence[Run]]) -> Iterator[str]:
    """How long runs that stop early trained, and whose networks their values are of."""
    runs = [run for row in rows if row.config.get("patience") is not None for run in finished[row.setting]]
    if not runs or budget != "epochs":
        return
    best = [int(run.values(EPOCH_OF_NETWORK)[-1]) for run in runs if run.values(EPOCH_OF_NETWORK)]
    yield (
        f"Runs with early stopping ended after {_span([len(run.table) for run in runs])} and are read at the network "
        f"that is best on validation, of epoch {_span(best, '')}; their cost is all that they trained."
    )


def _span(numbers: Sequence[int], noun: str = "epoch") -> str:
    low, high = min(numbers), max(numbers)
    if not noun:
        return str(low) if low == high else f"{low} to {high}"
    return count(low, noun) if low == high else f"{low} to {count(high, noun)}"


def _lengths(rows: Sequence[Row], budget: str) -> Iterator[str]:
    """Where rows trained for different numbers of epochs: whether that made them equal in gradient evaluations."""
    if budget != "epochs":
        return
    planned = [row for row in rows if row.n and row.config.get("epochs") and not may_end_early(row.config)]
    for here in grouped(planned, lambda row: row.place).values():
        epochs = sorted({row.config["epochs"] for row in here})
        spent = [evaluations(list(row.timings.values())) for row in here]
        known = [total for total in spent if total]
        if len(epochs) < 2 or len(known) < len(here):
            continue
        ratio = max(known) / min(known)
        made = (
            f"their gradient evaluations are equal within {100.0 * (ratio - 1.0):.1f} %"
            if ratio < EQUAL
            else f"some made {ratio:.1f} times the gradient evaluations of others"
        )
        yield f"Rows on {here[0].where} trained for {epochs[0]} to {epochs[-1]} epochs; {made}."


def _competing(rows: Sequence[Row]) -> Iterator[str]:
    if any(compete(here) for here in grouped(rows, lambda row: row.place).values()):
        yield "Settings of one optimizer compete: rows stand in their order, for the best of them is no fair result."


def _unfinished(rows: Sequence[Row]) -> Iterator[str]:
    states = {state for row in rows for state, count in row.states.items() if count}
    if "diverged" in states:
        yield (
            "Diverged runs are not in the mean, which flatters the rows that have some; "
            "in Δ each counts as the worst value of all runs there."
        )
    if "failed" in states:
        yield "Failed runs are not in the mean; the command that began them tries again with --retry-failed."
    if "interrupted" in states:
        yield "Interrupted runs are not in the mean; the command that began them continues them."
    if "running" in states:
        yield "Runs that are still running are not in the mean."


def _unmeasured(rows: Sequence[Row], name: Callable[[Row], str]) -> Iterator[str]:
    for row in rows:
        missing = row.states.get("finished", 0) - row.n
        if missing:
            runs, count = (
                ("1 finished run has", "counts") if missing == 1 else (f"{missing} finished runs have", "count")
            )
            yield f"{name(row)}: {runs} no {row.metric} at the epoch read and {count} nowhere."


def _baselines(rows: Sequence[Row], baseline: str) -> Iterator[str]:
    for here in grouped(rows, lambda row: row.place).values():
        marked = [row for row in here if row.is_baseline]
        if not any(row.n for row in here if not row.is_baseline):
            continue
        if not any(row.n for row in marked):
            yield (
                f"No finished {baseline} run on {here[0].where}, so no differences there; "
                "samcli compare --baseline names another."
            )
        elif len(marked) > 1:
            yield f"On {here[0].where} each row is compared to the {baseline} row that shares most settings with it."


def _pairs(rows: Sequence[Row], baseline: str, name: Callable[[Row], str]) -> Iterator[str]:
    compared = [(row, row.difference) for row in rows if row.difference is not None]
    for row, found in compared:
        if found.only_treatment:
            alone = f"{seeds(found.only_treatment)} without a partner of {baseline}"
            yield f"{name(row)}: {alone}, not in the difference."
        if found.only_baseline:
            alone = f"{seeds(found.only_baseline)} of {baseline} without a partner"
            yield f"{name(row)}: {alone}, not in the difference."
    if any(found.n == 1 for _, found in compared):
        yield "A difference of one seed has no interval; train more seeds, for example with --seeds 0-9."


def _conditions(rows: Sequence[Row], places: Mapping[str, Sequence[Run]]) -> Iterator[str]:
    for where, place in {row.where: row.place for row in rows}.items():
        if found := differing(places[place]):
            what = ", ".join(f"{words}{shown(places[place], words)}" for words in found)
            yield f"Runs on {where} were timed with different {what}: seconds and cost do not compare."
