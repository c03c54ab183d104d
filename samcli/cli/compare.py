"""`samcli compare`: the table of what was run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from samcli.cli import complete
from samcli.cli.options import (
    Baseline,
    Budget,
    BudgetOption,
    Margin,
    Metric,
    Quiet,
    Results,
    Select,
    SelectOption,
    Verbose,
)
from samcli.cli.output import (
    comma_separated,
    detail,
    document,
    hint,
    result,
    say,
    shows_bold,
    terminal_width,
    text,
    warn,
)
from samcli.cli.output_file import check_picture
from samcli.errors import ConfigError, NothingToCompare
from samcli.words import joined

if TYPE_CHECKING:
    from samcli.report import Comparison, Correlation
    from samcli.report.small_table import SmallTable
    from samcli.runs.reader import Run

EXAMPLE = "Example: samcli compare results/label-noise --format latex > table.tex"


class Format(StrEnum):
    """The ways to write the table."""

    table = "table"
    markdown = "markdown"
    latex = "latex"
    csv = "csv"
    json = "json"


def compare(
    results: Results = None,
    baseline: Baseline = "sgd",
    metric: Metric = None,
    budget: BudgetOption = Budget.epochs,
    select: SelectOption = Select.last,
    target: Annotated[
        float | None,
        typer.Option(help="A value of the metric, 0.9 for 90 %: what of the budget is spent until it is reached."),
    ] = None,
    margin: Margin = None,
    correlate: Annotated[
        bool,
        typer.Option("--correlate", help="Instead: does sharpness, measured before, rank runs as their gaps do?"),
    ] = False,
    hold: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY",
            help="With --correlate: among runs of the same KEY alone, such as lr, or of several with commas.",
            autocompletion=complete.one_of(complete.numbers),
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE.png|.svg|.pdf", help="With --correlate: a picture of it as well.")
    ] = None,
    hypotheses: Annotated[
        bool, typer.Option("--hypotheses", help="Instead: the hypotheses of the experiment alone, in any format.")
    ] = False,
    tasks: Annotated[
        bool, typer.Option("--tasks", help="Instead: one row for each optimizer, over all data sets and models.")
    ] = False,
    sensitivity: Annotated[
        str | None,
        typer.Option(
            metavar="KEY",
            help="Instead: how results depend on an option, such as rho, and which value is best on validation.",
            autocompletion=complete.one_of(complete.numbers),
        ),
    ] = None,
    format: Annotated[Format, typer.Option(help="How the table is written.")] = Format.table,
    columns: Annotated[
        str | None,
        typer.Option(help="Columns, with commas: optimizer,last,delta.", show_default="those that fit, or all"),
    ] = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Compare runs: one row for each setting, over its seeds.

    Differences to the baseline are paired by seed and come with a 95 % interval of Student's t, and from six seeds on
    with a verdict by an exact test, adjusted for all rows.
    With --correlate: Kendall's τ between each measure kept by samcli sharpness and the generalisation gap, or --metric.
    """
    say(quiet=quiet, verbose=verbose)
    if output is not None:
        if not correlate:
            raise ConfigError(
                "--output is the picture that goes with --correlate; add --correlate, or leave --output out."
            )
        check_picture(output)

    if hold and not correlate:
        raise ConfigError("--hold is for --correlate; add it, or leave --hold out.")
    _check_together(
        {
            "--correlate": correlate,
            "--hypotheses": hypotheses,
            "--tasks": tasks,
            "--sensitivity": sensitivity is not None,
        },
        {
            "--columns": columns is not None,
            "--budget": budget is not Budget.epochs,
            "--margin": margin is not None,
            "--target": target is not None,
            "--select": select is not Select.last,
            "--metric": metric is not None,
        },
    )

    from samcli.report import compare as compare_runs
    from samcli.report import render
    from samcli.report.small_table import written
    from samcli.runs.reader import scan

    runs, warnings = scan(results or [Path("results")])
    for run in runs:
        detail(f"{run.folder}: {run.status.get('status')}")
    for warning in warnings:
        warn(f"warning: {warning}")
    if correlate:
        _correlate(runs, metric, [key.strip() for given in hold or [] for key in given.split(",")], format, output)
        return
    comparison = compare_runs(
        runs, baseline=baseline, metric=metric, budget=budget.value, margin=margin, select=select.value, target=target
    )
    if hypotheses or tasks or sensitivity is not None:
        table = _instead(comparison, runs, tasks=tasks, sensitivity=sensitivity)
        text(written(table, format.value, width=terminal_width(), color=shows_bold()))
        return
    text(render(comparison, format.value, width=terminal_width(), color=shows_bold(), columns=columns))


def _check_together(instead: Mapping[str, bool], changed: Mapping[str, bool]) -> None:
    """Refuse options that do not go together.

    Args:
        instead: whether each table that may stand instead of the comparison was asked for, by its option.
        changed: whether each other option has another value than its default.

    Raises:
        ConfigError: several such tables, or an option that means nothing for one.
    """
    asked = [option for option, is_asked in instead.items() if is_asked]
    if len(asked) > 1:
        raise ConfigError(f"{joined(asked)} are tables of their own; ask for one of them at a time.")
    for option in asked:
        for other in _MEANINGLESS[option]:
            if changed[other]:
                why = "judges as the experiment's file says" if (option, other) in _SAID else _WHY[other]
                raise ConfigError(f"{option} {why}; leave {other} out.")


_MEANINGLESS = {
    "--correlate": ("--columns", "--budget", "--margin", "--target", "--select"),
    "--hypotheses": ("--columns", "--budget", "--margin", "--target", "--select", "--metric"),
    "--tasks": ("--columns",),
    "--sensitivity": ("--columns", "--budget", "--target", "--select"),
}
_SAID = {("--hypotheses", other) for other in _MEANINGLESS["--hypotheses"] if other != "--columns"}
_WHY = {
    "--columns": "has columns of its own",
    "--budget": "reads runs at their end",
    "--margin": "compares no means",
    "--target": "asks nothing of the way there",
    "--select": "chooses no settings beforehand",
}


def _instead(comparison: Comparison, runs: Sequence[Run], *, tasks: bool, sensitivity: str | None) -> SmallTable:
    """The table that is shown instead of the comparison."""
    from samcli.report.judged_table import hypotheses_table
    from samcli.report.over_tasks import over_tasks_table
    from samcli.report.sensitivity import sensitivity_table

    if tasks:
        return over_tasks_table(comparison)
    if sensitivity is not None:
        return sensitivity_table(comparison, runs, sensitivity)
    if not comparison.judgements:
        raise NothingToCompare("The experiment states no hypotheses; write some in its file, under hypotheses:.")
    return hypotheses_table(comparison.judgements)


def _correlate(
    runs: Sequence[Run], metric: str | None, hold: Sequence[str], format: Format, output: Path | None
) -> None:
    """Show how sharpness ranks runs, and draw it if asked to."""
    from samcli.report import correlate as correlate_runs
    from samcli.report.metric import with_metric
    from samcli.report.settings import dataset_and_model

    if metric is not None:
        metric, runs = with_metric(metric, runs)
    found = correlate_runs(runs, metric, hold)
    if len({dataset_and_model(run.config) for run in runs if any(run.folder in one.pairs for one in found)}) > 1:
        warn("warning: Sharpness of different architectures or data sets does not compare; name the runs of one.")
    _show_correlations(found, runs, metric, hold, format)
    if output is not None:
        _draw(found, runs, metric, hold, output)
        (result if format is Format.table else hint)(str(output))  # JSON and CSV stay one document


def _show_correlations(
    found: Sequence[Correlation], runs: Sequence[Run], metric: str | None, hold: Sequence[str], format: Format
) -> None:
    """Print a row for each measure, the strongest correlation first.

    Raises:
        ConfigError: a format that this table does not have.
    """
    from samcli.report.correlation_table import correlation_legend, correlation_records, correlation_table

    if format is Format.json:
        document(correlation_records(found))
    elif format is Format.csv:
        comma_separated(correlation_records(found))
    elif format is Format.table:
        text(correlation_table(found, width=terminal_width(), color=shows_bold()))
        for line in correlation_legend(metric, found, runs, hold):
            hint(line)
    else:
        raise ConfigError("--correlate is written as table, csv or json; choose one of these with --format.")


def _draw(
    found: Sequence[Correlation], runs: Sequence[Run], metric: str | None, hold: Sequence[str], output: Path
) -> None:
    """Write the picture of the correlations."""
    from samcli.report.pictures import encode
    from samcli.report.pictures.correlations import draw_correlations
    from samcli.runs.files import write_atomic

    figure = draw_correlations(found, runs, metric, hold)
    write_atomic(output, encode(figure, output.suffix.removeprefix(".").lower()))
