"""Rows with their verdicts, and diverged runs as the failures that they are."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from samcli.metrics import higher_is_better
from samcli.report.groups import grouped
from samcli.report.reading import described
from samcli.report.row import Row
from samcli.runs.reader import Run
from samcli.stats import Word, verdicts
from samcli.stats.sign_flip import SMALLEST
from samcli.stats.verdict import LEVEL


def with_failures(rows: Sequence[Row], places: Mapping[str, Sequence[Run]]) -> list[Row]:
    """The rows with what their diverged runs count as in differences: the worst value of any run there.

    Of a test accuracy that is at most that of guessing. Left out they would flatter the rows that have some.

    Args:
        rows: of a comparison, before they are compared to their baselines.
        places: the runs of each place, that is data set and model.

    >>> with_failures([], {})
    []
    """
    worst = {}
    for place, here in grouped(rows, lambda row: row.place).items():
        values = [value for row in here for value in row.by_seed.values()]
        if here[0].metric == "test_accuracy":
            values += [1.0 / classes for run in places[place] if (classes := described(run, "classes"))]
        worst[place] = (min if higher_is_better(here[0].metric) else max)(values, default=None)
    return [
        dataclasses.replace(row, counted={**dict.fromkeys(row.diverged, value), **row.by_seed})
        if (value := worst[row.place]) is not None
        else row
        for row in rows
    ]


def with_verdicts(rows: Sequence[Row], margin: float | None) -> list[Row]:
    """The rows with a verdict on each difference to a baseline, adjusted for all of them.

    Args:
        rows: of a comparison.
        margin: see `samcli.stats.verdicts`.

    >>> with_verdicts([], None)
    []
    """
    compared = [index for index, row in enumerate(rows) if row.difference and row.difference.n]
    found = verdicts(
        [rows[index].difference.by_seed for index in compared],  # type: ignore[union-attr]
        margin=margin,
        higher_is_better=higher_is_better(rows[0].metric) if rows else True,
    )
    verdict_of = dict(zip(compared, found, strict=True))
    return [dataclasses.replace(row, verdict=verdict_of.get(index)) for index, row in enumerate(rows)]


def limits_of_verdicts(rows: Sequence[Row]) -> Iterator[str]:
    """A sentence on what so few seeds cannot tell, and how many could.

    >>> list(limits_of_verdicts([]))
    []
    """
    pairs = [row.difference.n for row in rows if row.verdict and row.difference]
    if pairs and min(pairs) < SMALLEST and max(pairs) > 1:  # of one seed there is a sentence already
        yield (
            f"No verdict on fewer than {SMALLEST} seeds, whose sign-flip test cannot reach p < {LEVEL} even if all "
            "agree; train more, for example with --seeds 0-9."
        )


def settled(row: Row) -> bool:
    """Whether a verdict can be shown: there were seeds enough.

    >>> from samcli.report import compare
    >>> from samcli.report.example import example_runs
    >>> settled(compare(example_runs()).rows[0])
    False
    """
    return row.verdict is not None and row.verdict.word is not Word.TOO_FEW
