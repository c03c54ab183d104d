"""`samcli sharpness`: how flat is a trained network?"""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from samcli.cli import complete
from samcli.cli.each_checkpoint import each_checkpoint
from samcli.cli.options import CacheDir, Checkpoints, Device, KnownDataDir, MovedImages, NeededPlugins, Quiet, Verbose
from samcli.cli.output import (
    say,
)
from samcli.cli.parameters import assignments, parameters_of
from samcli.cli.reading import reading_shown, use_cache_dir
from samcli.cli.values import Format, FormatOption, show_values

if TYPE_CHECKING:
    from collections.abc import Sequence

ALL = "all"  # measures that apply
EXAMPLE = "Example: samcli sharpness results/quickstart --measure one-step,lambda-max --examples 1000"


class BatchNorm(StrEnum):
    """The statistics that BatchNorm normalises by."""

    evaluation = "evaluation"
    recalibrated = "recalibrated"
    batch = "batch"


def sharpness(
    checkpoints: Checkpoints,
    measure: Annotated[
        str | None,
        typer.Option(
            help="Measures, with commas, or all; see samcli list measures.",
            autocompletion=complete.measures_or_all,
            show_default="the quick ones",
        ),
    ] = None,
    examples: Annotated[int, typer.Option(min=1, help="Training examples to measure on.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Chooses the examples, and all that is drawn.")] = 0,
    rho: Annotated[
        str | None, typer.Option(help="Radius, or several with commas: 0.05,0.1.", show_default="each measure's own")
    ] = None,
    eta: Annotated[
        float | None,
        typer.Option(min=0.0, help="η of the adaptive measures.", show_default="each measure's own"),
    ] = None,
    m: Annotated[
        int | None,
        typer.Option(
            "--m",
            min=1,
            help="Examples that have a worst case of their own (m-sharpness).",
            show_default="all together",
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Any other parameter, e.g. steps=50; may be repeated."),
    ] = None,
    batch_norm: Annotated[
        BatchNorm,
        typer.Option(help="BatchNorm by its running statistics, these estimated anew, or those of each batch."),
    ] = BatchNorm.evaluation,
    batch_size: Annotated[
        int, typer.Option(min=1, help="Examples in a forward pass; values depend on it by BatchNorm only.")
    ] = 500,
    plugin: NeededPlugins = None,
    data_dir: KnownDataDir = None,
    cache_dir: CacheDir = None,
    image_folder: MovedImages = None,
    device: Device = "auto",
    format: FormatOption = Format.table,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Measure the sharpness of trained networks, in evaluation mode, on a fixed part of their training data.

    One-step values are the loss after one step of ascent less the loss before: a lower bound of the worst case in the
    ball. Sharpness alone does not predict generalisation: compare networks of one architecture on one data set.
    """
    say(quiet=quiet, verbose=verbose)
    use_cache_dir(cache_dir)
    from samcli.registry import load_plugin
    from samcli.report.sharpness_table import (
        sharpness_document,
        sharpness_legend,
        sharpness_records,
        sharpness_table,
    )
    from samcli.runs.folder import find_checkpoints
    from samcli.train.device import choose_device
    from samcli.train.measured import measure_checkpoint

    for file in plugin or []:
        load_plugin(file)
    names, parameters = asked_for(measure, rho=rho, eta=eta, m=m, set_=set_)
    how: dict[str, Any] = {
        "examples": examples,
        "seed": seed,
        "batch_norm": batch_norm.value,
        "batch_size": batch_size,
        "parameters": parameters,
        "data_dir": data_dir,
        "image_folder": image_folder,
        "device": choose_device(device),
        "pass_over": measure == ALL,
    }
    paths = find_checkpoints(checkpoints)
    with reading_shown():
        rows = list(each_checkpoint(paths, partial(measure_checkpoint, measures=names, **how), ", ".join(names)))
    show_values(
        format,
        table=partial(sharpness_table, rows),
        records=partial(sharpness_records, rows),
        documents=partial(sharpness_document, rows),
        legend=[line] if (line := sharpness_legend(rows)) else [],
    )
    if len(rows) < len(paths):
        raise typer.Exit(1 if rows else 2)


def asked_for(
    measure: str | None, *, rho: str | None, eta: float | None, m: int | None, set_: Sequence[str] | None
) -> tuple[list[str], dict[str, Any]]:
    """The measures that options of `samcli sharpness` ask for, and their parameters.

    Raises:
        ConfigError: no such measure or parameter, or a value that it cannot have.

    >>> asked_for("one-step", rho="0.05,0.1", eta=None, m=None, set_=None)
    (['one-step'], {'rho': [0.05, 0.1]})
    """
    from samcli.sharpness import MEASURES
    from samcli.train.measured import DEFAULT_MEASURES

    names = [name.strip() for name in (measure or "").split(",") if name.strip()]
    names = list(MEASURES) if measure == ALL else names or list(DEFAULT_MEASURES)
    return names, _parameters_of(names, assignments({"rho": rho, "eta": eta, "m": m}, list(set_ or [])))


def _parameters_of(names: list[str], given: list[str]) -> dict[str, Any]:
    """The parameters that assignments give to these measures; rho may be several.

    Raises:
        ConfigError: no such measure or parameter, or a value that it cannot have.
    """
    from samcli.sharpness import MEASURES

    options = {key: option for name in names for key, option in MEASURES.options(name).items()}
    return parameters_of(given, options, ("rho",), "this choice of measures", {})
