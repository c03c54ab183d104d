"""`samcli plot`: single figures of runs, for papers."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from samcli.cli import complete
from samcli.cli.landscape import check_picture
from samcli.cli.options import Quiet, Results, Verbose
from samcli.cli.output import detail, document, hint, result, say, warn
from samcli.errors import ConfigError
from samcli.metrics import SCORES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from samcli.report.plot import Plot
    from samcli.runs.reader import Run

EXAMPLE = "Example: samcli plot results/label-noise --kind axis --axis rho -o radius.pdf"


class Kind(StrEnum):
    """What a plot shows."""

    curves = "curves"
    axis = "axis"
    cost = "cost"
    sharpness = "sharpness"


class Over(StrEnum):
    """What is spent while a run trains."""

    epochs = "epochs"
    gradients = "gradients"
    seconds = "seconds"


def plot(
    results: Results = None,
    kind: Annotated[
        Kind, typer.Option(help="Over training, along an option, against cost, or against sharpness.")
    ] = Kind.curves,
    metric: Annotated[
        str | None,
        typer.Option(
            help="Column of metrics.csv, or a measure kept by samcli sharpness; with --kind sharpness the measure.",
            autocompletion=complete.one_of(complete.metrics),
            show_default=f"{' or '.join(f'test_{score}' for score in SCORES)}; sharpness",
        ),
    ] = None,
    over: Annotated[
        Over | None,
        typer.Option(help="What curves go over, or cost is counted in.", show_default="epochs; cost: gradients"),
    ] = None,
    axis: Annotated[
        str | None,
        typer.Option(
            metavar="KEY",
            help="With --kind axis: the option, such as optimizer.rho or rho.",
            autocompletion=complete.one_of(complete.numbers),
        ),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option(
            help="With --kind cost: what costs 1: sgd, or with settings: 'sgd lr=0.1'.",
            autocompletion=complete.one_of(lambda: complete.names("optimizers")),
            show_default="sgd",
        ),
    ] = None,
    width: Annotated[
        float, typer.Option(min=2.5, max=30.0, help="Of the picture, in inches; a column of a journal is about 3.3.")
    ] = 5.5,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE.pdf|.png|.svg",
            help="The picture.",
            show_default="plot.png, with --json none",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print what is drawn as one JSON document.")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Draw finished runs in one figure: means over seeds with one standard deviation, for each setting.

    Curves of a metric; a metric after the last epoch along an option of the grid, or against the cost of training; or
    the test score of each run against its sharpness. Each data set and model has a panel of its own.
    """
    say(quiet=quiet, verbose=verbose)
    _check_request(kind, over, axis, baseline)
    if output is None and not json:
        output = Path("plot.png")
    if output is not None:
        check_picture(output)
    from samcli.report.plot import record
    from samcli.runs.reader import scan

    runs, warnings = scan(results or [Path("results")])
    for run in runs:
        detail(f"{run.folder}: {run.status.get('status')}")
    for warning in warnings:
        warn(f"warning: {warning}")
    made = _numbers(kind, runs, metric, over, axis, baseline)
    for note in made.notes:
        hint(f"Note: {note}")
    if output is not None:
        from samcli.report.pictures import encode
        from samcli.runs.files import write_atomic

        write_atomic(output, encode(_picture(kind, made, width), output.suffix.removeprefix(".").lower()))
        (hint if json else result)(str(output))
    if json:
        document({"kind": kind.value, **record(made)})


def _check_request(kind: Kind, over: Over | None, axis: str | None, baseline: str | None) -> None:
    """Refuse options that do not go together.

    Raises:
        ConfigError: some do not.
    """
    if kind is Kind.axis and axis is None:
        raise ConfigError("--kind axis needs the option that it goes along: --axis rho, for example.")
    if kind is not Kind.axis and axis is not None:
        raise ConfigError("--axis goes with --kind axis; add it, or leave --axis out.")
    if kind is not Kind.cost and baseline is not None:
        raise ConfigError("--baseline goes with --kind cost; add it, or leave --baseline out.")
    if kind in (Kind.axis, Kind.sharpness) and over is not None:
        raise ConfigError(f"--kind {kind} reads runs at their end; leave --over out.")
    if kind is Kind.cost and over is Over.epochs:
        raise ConfigError("Cost is counted in gradients or seconds; choose one of these with --over.")


def _numbers(
    kind: Kind, runs: Sequence[Run], metric: str | None, over: Over | None, axis: str | None, baseline: str | None
) -> Plot:
    from samcli.report.plots import against_cost, against_sharpness, along_axis, curves

    if kind is Kind.axis:
        return along_axis(runs, str(axis), metric)
    if kind is Kind.cost:
        return against_cost(runs, baseline or "sgd", metric, (over or Over.gradients).value)
    if kind is Kind.sharpness:
        return against_sharpness(runs, metric or "sharpness")
    return curves(runs, metric, (over or Over.epochs).value)


def _picture(kind: Kind, made: Plot, width: float) -> Figure:
    from samcli.report.pictures.axis import draw_axis
    from samcli.report.pictures.cost import draw_cost
    from samcli.report.pictures.curves import draw_curves
    from samcli.report.pictures.sharpness import draw_sharpness

    draw = {Kind.curves: draw_curves, Kind.axis: draw_axis, Kind.cost: draw_cost, Kind.sharpness: draw_sharpness}
    return draw[kind](made, width)
