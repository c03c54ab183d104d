"""`samcli export`: runs in the formats of trackers."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from samcli.cli.options import Quiet, Results
from samcli.cli.output import document, hint, result, say, status, warn
from samcli.errors import ConfigError

EXAMPLE = "Example: samcli export results/label-noise --to tensorboard"


class To(StrEnum):
    """The formats that runs can be exported in."""

    tensorboard = "tensorboard"
    mlflow = "mlflow"
    wandb = "wandb"
    parquet = "parquet"


def export(
    results: Results = None,
    to: Annotated[To | None, typer.Option(help="The format.", show_default=False)] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Folder to write, or for parquet the file.",
            show_default="samcli-FORMAT in this folder",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document on what was written.")] = False,
    quiet: Quiet = False,
) -> None:
    """Write runs for TensorBoard, MLflow or Weights & Biases, or as one Parquet table of all epochs.

    Runs are only read, and nothing is sent anywhere: wandb sync uploads what --to wandb wrote, if you want that.
    What stands in the place of the output is replaced only if it is such an export too.
    """
    say(quiet=quiet)
    if to is None:
        raise ConfigError(f"Say in which format, with --to: {', '.join(To)}.")
    from samcli.export import export as export_runs
    from samcli.runs.reader import scan
    from samcli.words import count

    runs, warnings = scan(results or [Path("results")])
    for warning in warnings:
        warn(f"warning: {warning}")
    try:
        exported = export_runs(
            runs, to.value, output, lambda done: status(f"  {done} of {count(len(runs), 'run')} written")
        )
    finally:
        status("")
    for warning in exported.warnings:
        warn(f"warning: {warning}")
    if json:
        document(exported.record())
        return
    result(str(exported.output))
    hint(f"{exported.tally()}.")
    hint(f"Look at it: {exported.look}")
