"""`samcli export-model`: a trained network for other programs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from samcli.cli.options import Epoch, EpochOption, KnownDataDir, MovedImages, NeededPlugins, Quiet, Trained
from samcli.cli.output import document, hint, result, say
from samcli.cli.output_file import check_output_file
from samcli.errors import ConfigError

EXAMPLE = "Example: samcli export-model results/quickstart/RUN --to onnx -o digits.onnx"


class To(StrEnum):
    """The forms in which a network can be taken away."""

    torch = "torch"
    torchscript = "torchscript"
    onnx = "onnx"
    safetensors = "safetensors"


def export_model(
    run: Trained,
    to: Annotated[To | None, typer.Option(help="The form; has to be given.", show_default=False)] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The file.", show_default="samcli-model.SUFFIX"),
    ] = None,
    epoch: EpochOption = Epoch.last,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    plugin: NeededPlugins = None,
    data_dir: KnownDataDir = None,
    image_folder: MovedImages = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document on what was written.")] = False,
    quiet: Quiet = False,
) -> None:
    """Write a trained network as a program of torch, TorchScript or ONNX, or its weights as safetensors.

    Programs take raw pixels, rows or tokens, in batches of any size, and give probabilities or values. What was written
    is run on made-up inputs first, and left behind only if it predicts what the network does.
    """
    say(quiet=quiet)
    import samcli
    from samcli.home.exported import BATCHES
    from samcli.home.exported import export_model as write
    from samcli.home.formats import FORMATS
    from samcli.words import joined

    by_suffix = {form.suffix: To(name) for name, form in FORMATS.items()}
    meant = by_suffix.get(output.suffix.lower()) if output else None
    to = to or meant
    if to is None:
        raise ConfigError(f"Say in which form, with --to: {', '.join(To)}.")
    if meant not in (None, to):
        raise ConfigError(f"{output} ends as a file of --to {meant}; name another one, or leave --to out.")
    output = output or Path(f"samcli-model{FORMATS[to.value].suffix}")
    check_output_file(output)
    network = samcli.load(run, epoch=epoch.value, plugins=plugin or [], data_dir=data_dir, image_folder=image_folder)
    written = write(network, to.value, output, force=force)
    if json:
        document(written.record())
        return
    result(str(output))
    hint(
        f"Run on {written.inputs} made-up inputs in batches of {joined([str(size) for size in BATCHES])}: the largest "
        f"difference from the network is {written.difference:.1e}."
    )
    hint(f"Use it: {written.use}")
