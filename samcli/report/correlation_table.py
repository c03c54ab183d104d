"""Rank correlations with sharpness as a table, and as the rows of CSV and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from samcli.report.cells import probability
from samcli.report.correlation import Correlation
from samcli.report.doubts import is_at_chance
from samcli.report.text_table import text_table
from samcli.runs.reader import Run
from samcli.stats.correlation import SMALLEST
from samcli.words import count, joined

FEWEST = 2  # runs that a correlation takes


def correlation_records(found: Sequence[Correlation]) -> list[dict[str, Any]]:
    """The correlations as plain values, one row each, numbers unrounded.

    >>> from samcli.stats import kendall
    >>> one = Correlation("trace", 1000, {}, kendall([1.0, 2.0, 3.0], [0.1, 0.3, 0.2]), unconverged=0)
    >>> correlation_records([one])[0]["runs"]
    3
    """
    return [
        {
            "measure": one.measure,
            "examples": one.examples,
            "runs": one.correlation.n,
            "tau": one.correlation.tau,
            "low": one.correlation.low,
            "high": one.correlation.high,
            **({"p": one.correlation.p, "groups": one.correlation.groups} if one.correlation.groups else {}),
            "unconverged": one.unconverged,
        }
        for one in found
    ]


def correlation_table(found: Sequence[Correlation], *, width: int | None = 100, color: bool = False) -> str:
    """A row for each measure; see `samcli.report.text_table.text_table`.

    >>> from samcli.stats import kendall
    >>> one = Correlation("trace", 1000, {}, kendall([1.0, 2.0, 3.0], [0.1, 0.3, 0.2]), unconverged=0)
    >>> print(correlation_table([one]))  # doctest: +NORMALIZE_WHITESPACE
    measure   examples   runs   tau     low   high   unconverged
    ────────────────────────────────────────────────────────────
    trace     1000       3      +0.33                0
    """
    rows = [
        {key: probability(value) if key == "p" else _shown(value) for key, value in record.items()}
        for record in correlation_records(found)
    ]
    return text_table(rows, width=width, color=color)


def correlation_legend(
    metric: str | None = None,
    found: Sequence[Correlation] = (),
    runs: Sequence[Run] = (),
    hold: Sequence[str] = (),
) -> list[str]:
    """Sentences that explain the table, and say where it tells nothing.

    Args:
        metric: the column that sharpness was correlated with; None is the generalisation gap.
        found: the correlations.
        runs: the runs that they are over, and possibly others.
        hold: the settings that were held fixed.

    >>> correlation_legend("test_loss")[1]
    'Runs left out as unconverged are counted in the last column.'
    """
    other = metric or "training less test score"
    how = "with a 95 % interval that takes the runs as independent"
    if hold:
        how = f"among runs of the same {joined(hold)} alone, with the p of permutations within these groups"
    return [
        f"Kendall's τ between sharpness and {other}, {how}.",
        "Runs left out as unconverged are counted in the last column.",
        *_warnings(found, runs, hold),
    ]


def _warnings(found: Sequence[Correlation], runs: Sequence[Run], hold: Sequence[str]) -> Iterator[str]:
    if hold and any(one.correlation.n < len(one.pairs) for one in found):
        yield f"The column runs counts those alone that share their {joined(hold)} with another run."
    without = [one.measure for one in found if hold and one.correlation.n and one.correlation.tau is None]
    if without:
        yield f"No τ of {joined(without)}: within each group all values of one side are equal."
    if not hold and any(FEWEST < one.correlation.n < SMALLEST for one in found):
        yield f"Fewer than {SMALLEST} runs give no interval."
    few = [one.measure for one in found if one.correlation.n == FEWEST]
    if few:
        which = "" if len(few) == len(found) else f" of {joined(few)}"
        yield f"Two runs say nothing: τ{which} is +1 or -1 whatever they are, save for ties."
    members = [run for run in runs if any(run.folder in one.pairs for one in found)]
    collapsed = sum(is_at_chance(run, "test_accuracy", _last_accuracy(run)) for run in members)
    if collapsed:
        are = "is" if collapsed == 1 else "are"
        yield f"{count(collapsed, 'run')} at chance {are} counted too: collapsed networks may make τ by themselves."


def _last_accuracy(run: Run) -> float | None:
    values = run.values("test_accuracy")
    return values[-1] if values else None


def _shown(value: object) -> str:
    return "" if value is None else f"{value:+.2f}" if isinstance(value, float) else str(value)
