"""`samcli report`: one page of what was run, for people."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

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
from samcli.cli.output import detail, hint, result, say, warn
from samcli.cli.output_file import check_output_file
from samcli.errors import ConfigError

if TYPE_CHECKING:
    from samcli.runs.reader import Run

EXAMPLE = "Example: samcli report results/label-noise -o report.html"
SUFFIXES = (".html", ".htm")
LOOKS_BEFORE_A_RUN = 6  # for whoever starts watching a moment before training
LOOKS_WITHOUT_A_RUN = 2  # in a row, after which no run is going on: between two runs there is a moment without any


def report(
    results: Results = None,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.html", help="The page.")] = Path(
        "report.html"
    ),
    baseline: Baseline = "sgd",
    metric: Metric = None,
    budget: BudgetOption = Budget.epochs,
    select: SelectOption = Select.last,
    margin: Margin = None,
    watch: Annotated[bool, typer.Option("--watch", help="Write it anew while runs go on, until none does.")] = False,
    every: Annotated[float, typer.Option(min=0.1, max=86_400, help="With --watch: seconds between two looks.")] = 10.0,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Write one page: verdicts in sentences, the table of compare, plots to look into, and every run's configuration.

    The file needs nothing else and asks no network for anything; it may be sent to others as it is.
    """
    say(quiet=quiet, verbose=verbose)
    check_page(output)
    paths = results or [Path("results")]
    how = {"baseline": baseline, "metric": metric, "budget": budget.value, "select": select.value, "margin": margin}
    if watch:
        _watch(paths, output, how, every)
    else:
        runs, warnings = _read(paths)
        for warning in warnings:
            warn(f"warning: {warning}")
        _write(output, _page(runs, warnings, how))
    result(str(output))


def check_page(output: Path) -> None:
    """Refuse a name that a page cannot have.

    Raises:
        ConfigError: another suffix, or it cannot be written.

    >>> check_page(Path("report.pdf"))
    Traceback (most recent call last):
    samcli.errors.ConfigError: --output report.pdf: a page ends in .html; print it from a browser to get a PDF.
    """
    if output.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"--output {output}: a page ends in .html; print it from a browser to get a PDF.")
    check_output_file(output)


def _read(paths: Sequence[Path]) -> tuple[list[Run], list[str]]:
    from samcli.runs.reader import scan

    runs, warnings = scan(paths)
    for run in runs:
        detail(f"{run.folder}: {run.status.get('status')}")
    return runs, warnings


def _page(runs: Sequence[Run], warnings: Sequence[str], how: dict[str, Any], reload: float | None = None) -> str:
    from samcli.report import compare
    from samcli.report.page import page

    return page(runs, compare(runs, **how), metric=how["metric"], warnings=warnings, reload=reload)


def _write(output: Path, text: str) -> None:
    from samcli.runs.files import write_atomic

    write_atomic(output, text)


def _watch(paths: Sequence[Path], output: Path, how: dict[str, Any], every: float) -> None:
    """Write the page whenever it has changed, until no run is going on; the last one stays as it is."""
    from samcli.report.run_table import tally

    told: set[str] = set()
    written, told_last, idle, has_run = "", "", 0, False
    try:
        while True:
            runs, warnings = _read(paths)
            for warning in warnings:
                if warning not in told:
                    warn(f"warning: {warning}")
            told |= set(warnings)
            idle = 0 if any(run.state == "running" for run in runs) else idle + 1
            has_run = has_run or idle == 0
            is_last = idle >= (LOOKS_WITHOUT_A_RUN if has_run else LOOKS_BEFORE_A_RUN)
            text = _page(runs, warnings, how, None if is_last else every)
            if text != written:
                _write(output, text)
                written = text
            if told_last != (told_last := tally(runs)):
                hint(f"{told_last}.")
            if is_last:
                return
            time.sleep(every)
    except KeyboardInterrupt:
        if written:  # a page that nobody writes any more need not load itself anew
            runs, warnings = _read(paths)
            _write(output, _page(runs, warnings, how))
        raise
