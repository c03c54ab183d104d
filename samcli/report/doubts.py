"""What the figures of a comparison cannot tell: too few test examples, intervals beyond the possible, chance."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from samcli.metrics import is_share, title
from samcli.report.groups import grouped
from samcli.report.reading import described
from samcli.report.row import Row
from samcli.report.timing import CLOCKS, unsteady
from samcli.runs.reader import Run
from samcli.words import count, seeds, some_of

ERRORS_FROM_CHANCE = 2.0  # binomial standard errors within which an accuracy counts as that of guessing
FARTHEST_FROM_CHANCE = 0.1  # and the share of the way from guessing to no error, for few test examples


def binomial_error(share: float, examples: int) -> float:
    """The standard error of a share of that many independent examples: √(p (1 - p) / N).

    >>> binomial_error(0.5, 100)
    0.05
    """
    return math.sqrt(max(share * (1.0 - share), 0.0) / examples)


def is_at_chance(run: Run, metric: str, value: float | None) -> bool:
    """Whether a test accuracy is no better than guessing: at most that of one class of k, or of always naming the most
    frequent one, and two standard errors.

    Of the way from there to 1 it is at most a tenth, or a few test examples would condemn every network.

    False where `run.json` does not say how many classes and test examples there are, and for other metrics. So it is
    under `class_weight`: such a network gives up examples of frequent classes for those of rare ones, and what it has
    learnt may leave it below the share of the most frequent class.

    >>> from dataclasses import replace
    >>> from samcli.report.example import example_runs
    >>> run = replace(example_runs()[0], status={"dataset": {"classes": 10, "test_examples": 900}})
    >>> is_at_chance(run, "test_accuracy", 0.098), is_at_chance(run, "test_accuracy", 0.2)
    (True, False)
    """
    classes, examples = described(run, "classes"), described(run, "test_examples")
    if (
        metric != "test_accuracy"
        or run.config.get("class_weight")
        or value is None
        or classes is None
        or classes < 2
        or examples is None
    ):
        return False
    guessing = max(1.0 / classes, (described(run, "largest_test_class") or 0) / examples)
    margin = min(ERRORS_FROM_CHANCE * binomial_error(guessing, examples), FARTHEST_FROM_CHANCE * (1.0 - guessing))
    return value <= guessing + margin


def doubts(rows: Sequence[Row], places: Mapping[str, Sequence[Run]], name: Callable[[Row], str]) -> Iterator[str]:
    """Sentences on what the figures cannot tell.

    Args:
        rows: the rows of the comparison.
        places: the runs of each place, that is data set and model.
        name: the words for a row.

    >>> list(doubts([], {}, str))
    []
    """
    yield from _chance(rows, name)
    uncertain = []
    for place, here in grouped(rows, lambda row: row.place).items():
        examples = {described(run, "test_examples") for run in places[place] if run.state == "finished"}
        known = examples.pop() if len(examples) == 1 else None
        yield from _equal_differences(here, name, known)
        if known is not None and (errors := _test_part(here, known)):
            uncertain.append((here[0], known, errors))
    yield from _of_test_parts(uncertain)
    yield from _impossible(rows, name)
    yield from _unsteady(rows, name)


def _chance(rows: Sequence[Row], name: Callable[[Row], str]) -> Iterator[str]:
    for row in rows:
        if row.at_chance:
            yield (
                f"{name(row)}: {seeds(row.at_chance)} ended at chance, no better than guessing; "
                "such a run has collapsed, or has not learnt yet, and pulls the mean down."
            )


def _equal_differences(here: Sequence[Row], name: Callable[[Row], str], examples: int | None) -> Iterator[str]:
    equal = [row for row in here if row.difference and row.difference.low == row.difference.high is not None]
    if equal:
        names = some_of([name(row) for row in equal])
        why = (
            f": {count(examples, 'test example')} cannot tell them apart" if examples and _is_accuracy(equal[0]) else ""
        )
        yield f"{names}: all differences are equal{why}. An interval without width is no certainty."


def _test_part(here: Sequence[Row], examples: int | None) -> list[float]:
    """The errors that the test part brings to rows whose seeds differ less: all share it, and no spread shows it."""
    if examples is None or not _is_accuracy(here[0]):
        return []
    return [
        error
        for row in here
        if row.last.mean is not None and row.last.sd is not None
        if (error := binomial_error(row.last.mean, examples)) > row.last.sd
    ]


def _of_test_parts(found: Sequence[tuple[Row, int, list[float]]]) -> Iterator[str]:
    """A sentence on each number of test examples, however many data sets and models have it.

    Args:
        found: a row of each data set and model, its test examples, and the errors that these bring.
    """
    for number, group in grouped(found, lambda one: str(one[1])).items():
        errors = [100.0 * error for _, _, here in group for error in here]
        low, high = f"{min(errors):.2g}", f"{max(errors):.2g}"
        points = f"{low} points" if low == high else f"{low} to {high} points"
        where = group[0][0].where if len(group) == 1 else count(len(group), "data set and model")
        where = where.replace("data set and models", "data sets and models")
        score = title(group[0][0].metric).removesuffix(" in %")
        yield (
            f"On {where}, {count(int(number), 'test example')} leave a {score} uncertain by {points} "
            "(binomial standard error), more than its seeds differ."
        )


def _is_accuracy(row: Row) -> bool:
    return row.metric == "test_accuracy"  # of the shares the one that is a mean over examples


def _impossible(rows: Sequence[Row], name: Callable[[Row], str]) -> Iterator[str]:
    """Intervals of differences between shares that no two shares can have."""
    found = []
    for row in rows:
        difference, mean = row.difference, row.last.mean
        if not is_share(row.metric) or mean is None or difference is None:
            continue
        if difference.mean is None or difference.low is None or difference.high is None:
            continue
        reference = mean - difference.mean
        if difference.high > 1.0 - reference + 1e-12 or difference.low < -reference - 1e-12:
            found.append(name(row))
    if found:
        yield (
            f"{some_of(found)}: the interval reaches beyond 0 to 100 %, as Student's t may with few seeds; "
            "train more, for example with --seeds 0-9."
        )


def _unsteady(rows: Sequence[Row], name: Callable[[Row], str]) -> Iterator[str]:
    clocks = {row.cost_clock for row in rows if row.cost_clock}
    for clock in sorted(clocks):
        found = [name(row) for row in rows if any(unsteady(one, clock) for one in row.timings.values())]
        if found:
            yield (
                f"{some_of(found)}: epochs of one run differ by more than a factor of two in {CLOCKS[clock]}, "
                "so trust Passes more than Cost."
            )


def namer(rows: Sequence[Row]) -> Callable[[Row], str]:
    """What says a row of these in words; data set and model only where there is more than one.

    >>> from samcli.report import compare
    >>> from samcli.report.example import example_runs
    >>> rows = compare(example_runs()).rows
    >>> namer(rows)(rows[0])
    'sam rho=0.05'
    """
    several = len({row.where for row in rows}) > 1
    return lambda row: f"{row.who} on {row.where}" if several else row.who
