"""`samcli compare`: the table of what was run."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from samcli.cli.output import hint, result, terminal_width

EXAMPLE = "Example: samcli compare results/label-noise --format latex > table.tex"


class Format(StrEnum):
    """How the table is written."""

    table = "table"
    markdown = "markdown"
    latex = "latex"
    csv = "csv"
    json = "json"


class Budget(StrEnum):
    """What runs are held equal in."""

    epochs = "epochs"
    gradients = "gradients"
    seconds = "seconds"


def compare(
    results: Annotated[
        list[Path] | None, typer.Argument(metavar="[RESULTS ...]", help="Results folders, experiments or runs.")
    ] = None,
    baseline: Annotated[str, typer.Option(help="The optimizer that others are compared to.")] = "sgd",
    metric: Annotated[
        str | None, typer.Option(help="Column of metrics.csv to compare.", show_default="test_accuracy or test_r2")
    ] = None,
    budget: Annotated[
        Budget, typer.Option(help="Compare after equal epochs, gradient evaluations or seconds.")
    ] = Budget.epochs,
    format: Annotated[Format, typer.Option(help="How the table is written.")] = Format.table,
) -> None:
    """Compare runs: one row for each setting, over its seeds.

    Differences to the baseline are paired by seed and come with a 95 % interval of Student's t.
    """
    from samcli.report import compare as compare_runs
    from samcli.report import render
    from samcli.runs.reader import scan

    runs, warnings = scan(results or [Path("results")])
    for warning in warnings:
        hint(f"warning: {warning}")
    comparison = compare_runs(runs, baseline=baseline, metric=metric, budget=budget.value)
    result(render(comparison, format.value, width=terminal_width(), color=sys.stdout.isatty()).rstrip("\n"))
