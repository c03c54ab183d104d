"""`samcli predict`: what a trained network says of new files."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from samcli.cli.options import Device, Epoch, EpochOption, KnownDataDir, MovedImages, NeededPlugins, Quiet, Trained
from samcli.cli.output import comma_separated, csv_text, document, hint, result, say, strict, warn
from samcli.cli.output_file import check_output_file

if TYPE_CHECKING:
    from samcli.home.network import Network
    from samcli.home.predicted import Predicted

EXAMPLE = "Example: samcli predict results/quickstart/RUN photographs/ --output classes.csv"


class Format(StrEnum):
    """The ways to write predictions."""

    csv = "csv"
    json = "json"


def predict(
    run: Trained,
    files: Annotated[list[Path], typer.Argument(metavar="FILES", help="Images, tables or texts, or folders of them.")],
    epoch: EpochOption = Epoch.last,
    probabilities: Annotated[bool, typer.Option("--probabilities", help="Write those of all classes.")] = False,
    format: Annotated[Format, typer.Option(help="How the predictions are written.")] = Format.csv,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to.", show_default="standard output")
    ] = None,
    plugin: NeededPlugins = None,
    data_dir: KnownDataDir = None,
    image_folder: MovedImages = None,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Say which class, or which value, a trained network predicts for images, rows of tables, or texts.

    Files are read as those of training were, and the data set is not needed. A probability is what the network says
    of itself, and may be too sure. A file that cannot be read is told, the others go on, and the exit code is 1.
    """
    say(quiet=quiet)
    if output is not None:
        check_output_file(output)
    import samcli
    from samcli.home.predicted import files_of, predict_files
    from samcli.train.device import choose_device
    from samcli.words import count

    network = samcli.load(
        run,
        epoch=epoch.value,
        device=choose_device(device),
        plugins=plugin or [],
        data_dir=data_dir,
        image_folder=image_folder,
    )
    faults: list[str] = []

    def tell(fault: str) -> None:
        faults.append(fault)
        warn(f"samcli: {fault}")

    found = list(
        predict_files(network, files_of(files, network.known.kind), tell, lambda told: warn(f"warning: {told}"))
    )
    if faults and not found:  # there is nothing to write
        raise typer.Exit(1)
    _write(network, found, format, probabilities=probabilities, output=output)
    hint(f"{count(len(found), 'prediction')} of {network.config.model['name']}, epoch {network.epoch}.")
    if faults:
        raise typer.Exit(1)


def _write(
    network: Network, found: list[Predicted], format: Format, *, probabilities: bool, output: Path | None
) -> None:
    from samcli.escape import json_text
    from samcli.runs.files import write_atomic

    classes = network.classes
    rows: list[dict[str, Any]] = [one.record(classes) for one in found]
    if format is Format.csv:
        if probabilities:
            for row, one in zip(rows, found, strict=True):
                row |= {f"probability.{name}": p for name, p in one.probabilities(classes).items()}
        if output is None:
            comma_separated(rows)
        else:
            write_atomic(output, csv_text(rows))
    else:
        if probabilities:
            for row, one in zip(rows, found, strict=True):
                row["probabilities"] = one.probabilities(classes)
        facts = {"epoch": network.epoch, "task": network.task.document(), "classes": list(classes)}
        whole = {**facts, "predictions": rows}
        if output is None:
            document(whole)
        else:
            write_atomic(output, json_text(strict(whole)) + "\n")
    if output is not None:
        result(str(output))
