"""`samcli train`: run an experiment."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from samcli.cli import complete
from samcli.cli.draft import draft_of
from samcli.cli.engine import Engine, Where
from samcli.cli.expected import check_hypotheses, record_expected
from samcli.cli.options import (
    CacheDir,
    CpusPerRun,
    DataDir,
    Device,
    Gpus,
    Jobs,
    JobsPerGpu,
    MaxConcurrent,
    Minutes,
    Name,
    OnEngine,
    Only,
    Partition,
    Plugins,
    Processes,
    Quiet,
    RayAddress,
    ResultsFolder,
    RetryFailed,
    ReuseChanged,
    Set,
    TakeOver,
    Threads,
    Timeout,
    Verbose,
)
from samcli.cli.output import document, hint, say, terminal_width, text, warn
from samcli.cli.planned import check_no_file, check_writable, show_plan, tell_changes, try_out
from samcli.cli.training import Training
from samcli.errors import ConfigError, NothingToCompare
from samcli.shipped import experiment_file

if TYPE_CHECKING:
    from samcli.launch import Cell

EXAMPLE = "Example: samcli train --dataset fashion-mnist --model cnn --optimizer sgd,sam --seeds 0-2 --rho 0.05,0.1"


def train(
    ctx: typer.Context,
    experiment: Annotated[
        Path | None,
        typer.Argument(
            metavar="EXPERIMENT",
            help="An experiment file, or a name of samcli list experiments.",
            autocompletion=complete.experiments,
        ),
    ] = None,
    dataset: Annotated[
        list[str] | None,
        typer.Option(help="Data set, or several: digits,wine.", autocompletion=complete.several("datasets")),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help="Model, or several: cnn,resnet20.", autocompletion=complete.several("models")),
    ] = None,
    optimizer: Annotated[
        list[str] | None,
        typer.Option(help="Optimizers to compare: sgd,sam,asam.", autocompletion=complete.several("optimizers")),
    ] = None,
    seeds: Annotated[list[str] | None, typer.Option(help="Seeds: 3, 0-4 or 0,2,5.")] = None,
    epochs: Annotated[list[str] | None, typer.Option(help="Epochs of each run.")] = None,
    lr: Annotated[list[str] | None, typer.Option(help="Learning rate, or several: 0.01,0.1.")] = None,
    rho: Annotated[
        list[str] | None, typer.Option(help="Radius of the optimizers that have one, or several: 0.05,0.1.")
    ] = None,
    batch_size: Annotated[list[str] | None, typer.Option(help="Examples in a step, or several.")] = None,
    label_noise: Annotated[
        list[str] | None, typer.Option(help="Share of training labels drawn anew, or several: 0,0.4.")
    ] = None,
    set_: Set = None,
    only: Only = None,
    plugin: Plugins = None,
    results: ResultsFolder = Path("results"),
    name: Name = None,
    data_dir: DataDir = Path("data"),
    cache_dir: CacheDir = None,
    device: Device = "auto",
    jobs: Jobs = "auto",
    jobs_per_gpu: JobsPerGpu = None,
    processes: Processes = None,
    threads: Threads = None,
    engine: OnEngine = Engine.LOCAL,
    cpus_per_run: CpusPerRun = None,
    ray_address: RayAddress = None,
    partition: Partition = None,
    time: Minutes = None,
    gpus: Gpus = None,
    max_concurrent: MaxConcurrent = None,
    timeout: Timeout = None,
    retry_failed: RetryFailed = False,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop at the first run that fails.")] = False,
    max_failures: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Stop when so many runs have failed.")
    ] = None,
    reuse_changed: ReuseChanged = False,
    take_over: TakeOver = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would run, look at the data, and train nothing.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Train every run of an experiment, then compare them.

    Without EXPERIMENT, and without --dataset, --model or --optimizer, runs a small real comparison of SGD and SAM on
    handwritten digits, 40 % of whose labels are redrawn. Finished runs are not run again, interrupted ones continue.
    """
    if fail_fast and max_failures is not None:
        raise ConfigError("--fail-fast is --max-failures 1; leave one of the two out.")
    say(quiet=quiet, verbose=verbose)
    how = Training.of(
        where=Where(engine, cpus_per_run, threads, ray_address, partition, time, gpus, max_concurrent),
        device=device,
        jobs=jobs,
        jobs_per_gpu=jobs_per_gpu,
        processes=processes,
        results=results,
        data_dir=data_dir,
        cache_dir=cache_dir,
        timeout=timeout,
        most_failures=1 if fail_fast else max_failures,
        retry_failed=retry_failed,
        reuse_changed=reuse_changed,
        take_over=take_over,
        begins=not dry_run,
    )
    if how.is_followed(ctx):
        return
    draft = draft_of(
        experiment,
        plugins=plugin or [],
        chosen={"dataset": dataset, "model": model, "optimizer": optimizer},
        seeds=seeds,
        name=name,
        shorthand={"epochs": epochs, "lr": lr, "rho": rho, "batch-size": batch_size, "label-noise": label_noise},
        assignments=set_ or [],
        only=only or [],
        results=results,
    )
    runs = how.checked(draft)
    check_hypotheses(draft, data_dir)
    cells = how.plan(runs)
    slots = how.slots(cells)
    if dry_run:
        check_no_file(results)
        tell_changes(cells)
        show_plan(cells, how.estimate(cells, slots), json)
        try_out(cells, data_dir)
        return
    check_writable(results)
    says = bool(draft.hypotheses or draft.claim) or _is_experiment(experiment)
    outcome = how.train(cells, slots, before=lambda: record_expected(cells, draft) if says else None)
    _report(cells, outcome, json)
    if any(status in ("failed", "diverged", "busy", "interrupted") for status in outcome.values()):
        raise typer.Exit(1)


def _is_experiment(file: Path | None) -> bool:
    """Whether it is the file of an experiment, which says what is expected; flags and a run's `config.yaml` do not."""
    return file is not None and not experiment_file(file).with_name("run.json").is_file()


def _report(cells: list[Cell], outcome: dict[str, str], json: bool) -> None:
    """Print the comparison of these runs, and where their files lie."""
    from json import loads

    from samcli.report import compare, render
    from samcli.runs.reader import scan
    from samcli.words import count

    begun = [cell.folder.path for cell in cells if cell.folder.path.exists()]
    runs, warnings = scan(begun) if begun else ([], [])
    if begun and len(begun) < len(cells):
        hint(f"{count(len(cells) - len(begun), 'run')} not begun.")
    for warning in warnings:
        warn(f"warning: {warning}")
    places = sorted({str(cell.folder.path.parent) for cell in cells})
    comparison = None
    try:
        comparison = compare(runs)
    except NothingToCompare as error:
        warn(f"samcli: {error}")
    if json:
        compared = None if comparison is None else loads(render(comparison, "json"))
        document({"results": places, "runs": outcome, "comparison": compared})
        return
    if comparison is not None:
        text(render(comparison, "table", width=terminal_width(), color=sys.stdout.isatty()))
    hint(f"metrics.csv and checkpoint.pt of every run lie in {', '.join(places)}/<run>/")
    hint(f"The table again: samcli compare {' '.join(places)}")
