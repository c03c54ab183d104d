"""`samcli plot`: single figures of runs, for papers."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from samcli.cli import complete
from samcli.cli.options import Quiet, Results, Verbose, column
from samcli.cli.output import detail, document, hint, result, say, warn
from samcli.cli.output_file import check_picture
from samcli.errors import ConfigError
from samcli.metrics import task_scores

if TYPE_CHECKING:
    pass

EXAMPLE = "Example: samcli plot results/label-noise --kind noise -o noise.pdf"


class Kind(StrEnum):
    """What a plot shows."""

    curves = "curves"
    rho = "rho"
    noise = "noise"
    axis = "axis"
    cost = "cost"
    pareto = "pareto"
    sharpness = "sharpness"
    landscape = "landscape"


class Over(StrEnum):
    """What is spent while a run trains."""

    epochs = "epochs"
    gradients = "gradients"
    seconds = "seconds"


def plot(
    results: Results = None,
    kind: Annotated[
        Kind,
        typer.Option(
            help="Over training; along the radius, the label noise or any --axis; time against passes; against cost; "
            "against sharpness; around the weights."
        ),
    ] = Kind.curves,
    metric: Annotated[
        str | None,
        typer.Option(
            help="Score such as macro-f1, column of metrics.csv, or a measure kept by samcli sharpness; with --kind "
            "sharpness the measure.",
            autocompletion=complete.one_of(complete.metrics),
            callback=column,
            show_default=f"{' or '.join(f'test_{score}' for score in task_scores())}; sharpness",
        ),
    ] = None,
    over: Annotated[
        Over | None,
        typer.Option(help="What curves go over, or cost is counted in.", show_default="epochs; pareto: gradients"),
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
            help="With --kind cost or pareto: what costs 1: sgd, or with settings: 'sgd lr=0.1'.",
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

    Curves of a metric; a metric after the last epoch along an option of the grid, or against the cost of training;
    training time against gradient evaluations; the test score of each run against its sharpness; or the training loss
    around the weights, as samcli landscape kept it. Each data set and model has a panel of its own.
    """
    say(quiet=quiet, verbose=verbose)
    check_request(kind, metric, over, axis, baseline)
    if output is None and not json:
        output = Path("plot.png")
    if output is not None:
        check_picture(output)
    from samcli.report.drawing import figure, numbers
    from samcli.report.plot import record
    from samcli.runs.reader import scan

    runs, warnings = scan(results or [Path("results")])
    for run in runs:
        detail(f"{run.folder}: {run.status.get('status')}")
    for warning in warnings:
        warn(f"warning: {warning}")
    made = numbers(kind, runs, metric=metric, over=over, axis=axis, baseline=baseline or "sgd")
    for note in made.notes:
        hint(f"Note: {note}")
    if output is not None:
        from samcli.report.pictures import encode
        from samcli.runs.files import write_atomic

        write_atomic(output, encode(figure(kind, made, width), output.suffix.removeprefix(".").lower()))
        (hint if json else result)(str(output))
    if json:
        document({"kind": kind.value, **record(made)})


def check_request(kind: Kind, metric: str | None, over: Over | None, axis: str | None, baseline: str | None) -> None:
    """Refuse options that do not go together.

    Raises:
        ConfigError: some do not.

    >>> check_request(Kind.pareto, None, Over.gradients, None, None)
    """
    if kind is Kind.axis and axis is None:
        raise ConfigError("--kind axis needs the option that it goes along: --axis rho, for example.")
    if kind is not Kind.axis and axis is not None:
        raise ConfigError("--axis goes with --kind axis; add it, or leave --axis out.")
    if kind not in (Kind.cost, Kind.pareto) and baseline is not None:
        raise ConfigError("--baseline goes with --kind cost or pareto; add it, or leave --baseline out.")
    if kind is Kind.pareto and over is Over.epochs:
        raise ConfigError("Cost is counted in gradients or seconds; choose one of these with --over.")
    if kind not in (Kind.curves, Kind.pareto) and over is not None:
        raise ConfigError(f"--over goes with --kind curves or pareto, not with {kind}; leave it out.")
    if kind in (Kind.cost, Kind.landscape) and metric is not None:
        raise ConfigError(f"--kind {kind} shows no metric; leave --metric out.")
