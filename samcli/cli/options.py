"""Options that several commands have."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from samcli.cli import complete
from samcli.cli.engine import Engine
from samcli.cli.jobs import MOST_JOBS
from samcli.metrics import column_called, task_scores

DATA_DIR, CACHE_DIR = "SAMCLI_DATA_DIR", "SAMCLI_CACHE_DIR"

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
CacheDir = Annotated[
    Path | None,
    typer.Option(
        envvar=CACHE_DIR,
        help="Where decoded image folders are kept in files, so that they need not fit into memory; see docs/data.md.",
    ),
]
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


def column(name: str | None) -> str | None:
    """A metric as the columns have it, whichever of its spellings was given; None where none was.

    >>> column("macro-f1"), column(None)
    ('test_macro_f1', None)
    """
    return None if name is None else column_called(name)


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
        help="Score such as macro-f1, column of metrics.csv, or what samcli sharpness or samcli robustness has kept: "
        "'pgd eps=2/255'.",
        autocompletion=complete.one_of(complete.metrics),
        callback=column,
        show_default=" or ".join(f"test_{score}" for score in task_scores()),
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


class Epoch(StrEnum):
    """The epochs of a run that are kept."""

    last = "last"
    best = "best"


# of commands that take one trained network away
Trained = Annotated[
    Path,
    typer.Argument(metavar="RUN", help="Run folder, or checkpoint.", autocompletion=complete.runs),
]
EpochOption = Annotated[
    Epoch, typer.Option(help="The last epoch, or the best on the validation part if the run keeps it.")
]

# of commands that train an experiment
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Set any key, e.g. optimizer.rho=0.1; may be repeated."),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KEY=VALUE", help="Only runs of the grid that have it, e.g. optimizer=sgd,sam; may be repeated."
    ),
]
Plugins = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE.py",
        help="Python file with optimizers, models or data sets; may be repeated.",
        autocompletion=complete.python_files,
    ),
]
ResultsFolder = Annotated[Path, typer.Option(help="Where results go.")]
Name = Annotated[str | None, typer.Option(help="Name of the experiment, its folder in the results.")]
Jobs = Annotated[
    str,
    typer.Option(
        metavar="auto|N",
        help="Runs that train at once, each in a process with its share of the cores; auto fills the cores, or the "
        "GPUs; 0: one after the other in this process, for a debugger.",
    ),
]
JobsPerGpu = Annotated[int | None, typer.Option(min=1, max=MOST_JOBS, help="Runs that share a GPU; one if left out.")]
Processes = Annotated[
    int | None,
    typer.Option(min=1, max=MOST_JOBS, help="Processes that share the batches of each run; see also torchrun."),
]
Threads = Annotated[
    int | None,
    typer.Option(min=1, max=MOST_JOBS, help="Threads of each run; one for each of its cores if left out."),
]
OnEngine = Annotated[
    Engine, typer.Option(help="Where runs train: on this machine, a Ray cluster, or Slurm; see docs/clusters.md.")
]
CpusPerRun = Annotated[
    int | None, typer.Option(min=1, max=MOST_JOBS, help="CPUs of each run on a cluster; one if left out.")
]
RayAddress = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT", help="Head of the Ray cluster; if left out, a Ray of its own on this machine alone."
    ),
]
Partition = Annotated[str | None, typer.Option(help="Partition of Slurm; its default if left out.")]
Minutes = Annotated[
    int | None,
    typer.Option(
        "--time",
        min=1,
        metavar="MINUTES",
        help="Minutes of a job of Slurm, 60 if left out; a run that takes longer is requeued and goes on.",
    ),
]
Gpus = Annotated[int | None, typer.Option(min=1, max=MOST_JOBS, help="GPUs of each run on Slurm.")]
MaxConcurrent = Annotated[int | None, typer.Option(min=1, metavar="N", help="Jobs of Slurm that run at once, at most.")]
Timeout = Annotated[
    float | None, typer.Option(min=0.001, help="Seconds that one run may take before it counts as failed.")
]
RetryFailed = Annotated[
    bool, typer.Option("--retry-failed", help="Try runs again that failed before; their epochs are kept.")
]
ReuseChanged = Annotated[
    bool,
    typer.Option(
        "--reuse-changed", help="Count runs that were trained with another content of a plug-in file or data set."
    ),
]
TakeOver = Annotated[
    bool, typer.Option("--take-over", help="Continue runs of a process on another machine that is gone.")
]
