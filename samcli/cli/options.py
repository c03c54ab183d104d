"""Options that several commands have."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from samcli.cli import complete
from samcli.metrics import SCORES

DATA_DIR = "SAMCLI_DATA_DIR"

Device = Annotated[
    str,
    typer.Option(
        help="auto, cpu, cuda or mps; auto is cuda where there is such a GPU.",
        autocompletion=complete.one_of(lambda: ("auto", "cpu", "cuda", "mps")),
    ),
]
Results = Annotated[
    list[Path] | None,
    typer.Argument(metavar="RESULTS", help="Results folders, experiments or runs.", autocompletion=complete.runs),
]
DataDir = Annotated[Path, typer.Option(envvar=DATA_DIR, help="Where data sets lie or are downloaded to.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors, warnings and the result.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say more on the way.")]


class Select(StrEnum):
    """What is chosen on the validation part."""

    last = "last"
    epoch = "epoch"
    validation = "validation"


class Budget(StrEnum):
    """The budgets that runs can be compared at."""

    epochs = "epochs"
    gradients = "gradients"
    seconds = "seconds"


# of commands that compare
Baseline = Annotated[
    str,
    typer.Option(
        help="What others are compared to: sgd, or with settings: 'sam rho=0.1'.",
        autocompletion=complete.one_of(lambda: complete.names("optimizers")),
    ),
]
Metric = Annotated[
    str | None,
    typer.Option(
        help="Column of metrics.csv, or a measure kept by samcli sharpness.",
        autocompletion=complete.one_of(complete.metrics),
        show_default=" or ".join(f"test_{score}" for score in SCORES),
    ),
]
BudgetOption = Annotated[Budget, typer.Option(help="Compare after equal epochs, gradient evaluations or seconds.")]
SelectOption = Annotated[
    Select,
    typer.Option(
        help="Read runs at their last epoch, at the epoch best on validation, or show for each optimizer the "
        "setting that is best on validation."
    ),
]
Margin = Annotated[
    float | None,
    typer.Option(help="Differences below it count as none, in the metric's unit: 0.005 is half a point."),
]

# of commands that read what was trained before
Checkpoints = Annotated[
    list[Path],
    typer.Argument(
        metavar="CHECKPOINT_OR_RUN", help="Checkpoints, run folders, or folders of runs.", autocompletion=complete.runs
    ),
]
NeededPlugins = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE.py",
        help="Python file that the runs needed; may be repeated.",
        autocompletion=complete.python_files,
    ),
]
KnownDataDir = Annotated[
    Path | None,
    typer.Option(envvar=DATA_DIR, help="Where data sets lie.", show_default="where the run found them"),
]
MovedImages = Annotated[
    Path | None,
    typer.Option(metavar="PATH", help="Where the runs' images lie now, if their folder was moved."),
]
