"""`samcli bound`: what can be promised of a network's error without test data?"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from samcli.cli import complete
from samcli.cli.each_checkpoint import each_checkpoint
from samcli.cli.options import Checkpoints, Device, KnownDataDir, NeededPlugins, Quiet, Verbose
from samcli.cli.output import say
from samcli.cli.values import Format, FormatOption, show_values

if TYPE_CHECKING:
    pass

EXAMPLE = "Example: samcli bound results/pac-bayes"


def bound(
    checkpoints: Checkpoints,
    prior: Annotated[
        Path | None,
        typer.Option(
            metavar="CHECKPOINT_OR_RUN",
            help="A network that was trained on fewer of the same examples.",
            show_default="the last stage of each run",
            autocompletion=complete.runs,
        ),
    ] = None,
    delta: Annotated[
        float, typer.Option(min=1e-9, max=0.5, help="The probability that a bound is wrong, at most.")
    ] = 0.05,
    draws: Annotated[int, typer.Option(min=10, help="Draws of the weights.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Decides these.")] = 0,
    plugin: NeededPlugins = None,
    data_dir: KnownDataDir = None,
    device: Device = "auto",
    format: FormatOption = Format.table,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Bound the error of networks with random weights by PAC-Bayes, from examples that their prior has not seen.

    The prior is a network on fewer examples, such as the stage that a run began with. The error on test data stands
    beside the bound, with the bound that test data give: where the bound falls and the error does not, nothing was won.
    """
    say(quiet=quiet, verbose=verbose)
    from samcli.registry import load_plugin
    from samcli.report.bound_table import bound_legend, bound_records, bound_table
    from samcli.runs.folder import find_checkpoints
    from samcli.train.bounded import bound_checkpoint
    from samcli.train.device import choose_device

    for file in plugin or []:
        load_plugin(file)
    how: dict[str, Any] = {
        "prior": prior,
        "delta": delta,
        "draws": draws,
        "seed": seed,
        "data_dir": data_dir,
        "device": choose_device(device),
    }
    paths = find_checkpoints(checkpoints)
    rows = list(each_checkpoint(paths, partial(bound_checkpoint, **how), "pac-bayes-bound"))
    show_values(
        format,
        table=partial(bound_table, rows),
        records=partial(bound_records, rows),
        documents=partial(bound_records, rows),
        legend=bound_legend(rows),
    )
    if len(rows) < len(paths):
        raise typer.Exit(1 if rows else 2)
