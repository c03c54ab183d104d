"""`samcli train`: run an experiment."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from samcli import forkserver
from samcli.cli import complete
from samcli.cli.draft import draft_of
from samcli.cli.engine import Engine, Where
from samcli.cli.jobs import MOST_JOBS, check_in_this_process, jobs_of, sharing_of
from samcli.cli.options import DataDir, Device, Quiet, Verbose
from samcli.cli.output import detail, document, hint, say, terminal_width, text, warn
from samcli.cli.planned import (
    check_no_file,
    check_writable,
    show_plan,
    tell_changes,
    tell_contents,
    tell_earlier,
    tell_left_out,
    try_out,
)
from samcli.errors import ConfigError, Interrupted, NothingToCompare

if TYPE_CHECKING:
    from collections.abc import Sequence

    from samcli.config.hypotheses import Hypothesis
    from samcli.launch import Cell, Slot, Terms
    from samcli.launch.estimate import Estimate

EXAMPLE = "Example: samcli train --dataset fashion-mnist --model cnn --optimizer sgd,sam --seeds 0-2 --rho 0.05,0.1"


def train(
    ctx: typer.Context,
    experiment: Annotated[
        Path | None,
        typer.Argument(
            metavar="EXPERIMENT.yaml", help="An experiment file; see experiments/.", autocompletion=complete.experiments
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
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Set any key, e.g. optimizer.rho=0.1; may be repeated."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE", help="Only runs of the grid that have it, e.g. optimizer=sgd,sam; may be repeated."
        ),
    ] = None,
    plugin: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE.py",
            help="Python file with optimizers, models or data sets; may be repeated.",
            autocompletion=complete.python_files,
        ),
    ] = None,
    results: Annotated[Path, typer.Option(help="Where results go.")] = Path("results"),
    name: Annotated[str | None, typer.Option(help="Name of the experiment, its folder in the results.")] = None,
    data_dir: DataDir = Path("data"),
    device: Device = "auto",
    jobs: Annotated[
        str,
        typer.Option(
            metavar="auto|N",
            help="Runs that train at once, each in a process with its share of the cores; auto fills the cores, or the "
            "GPUs; 0: one after the other in this process, for a debugger.",
        ),
    ] = "auto",
    jobs_per_gpu: Annotated[
        int | None, typer.Option(min=1, max=MOST_JOBS, help="Runs that share a GPU; one if left out.")
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option(min=1, max=MOST_JOBS, help="Processes that share the batches of each run; see also torchrun."),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(min=1, max=MOST_JOBS, help="Threads of each run; one for each of its cores if left out."),
    ] = None,
    engine: Annotated[
        Engine, typer.Option(help="Where runs train: on this machine, a Ray cluster, or Slurm; see docs/clusters.md.")
    ] = Engine.LOCAL,
    cpus_per_run: Annotated[
        int | None, typer.Option(min=1, max=MOST_JOBS, help="CPUs of each run on a cluster; one if left out.")
    ] = None,
    ray_address: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT", help="Head of the Ray cluster; if left out, a Ray of its own on this machine alone."
        ),
    ] = None,
    partition: Annotated[str | None, typer.Option(help="Partition of Slurm; its default if left out.")] = None,
    time: Annotated[
        int | None,
        typer.Option(
            "--time",
            min=1,
            metavar="MINUTES",
            help="Minutes of a job of Slurm, 60 if left out; a run that takes longer is requeued and goes on.",
        ),
    ] = None,
    gpus: Annotated[int | None, typer.Option(min=1, max=MOST_JOBS, help="GPUs of each run on Slurm.")] = None,
    max_concurrent: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Jobs of Slurm that run at once, at most.")
    ] = None,
    timeout: Annotated[
        float | None, typer.Option(min=0.001, help="Seconds that one run may take before it counts as failed.")
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try runs again that failed before; their epochs are kept.")
    ] = False,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop at the first run that fails.")] = False,
    max_failures: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Stop when so many runs have failed.")
    ] = None,
    reuse_changed: Annotated[
        bool,
        typer.Option(
            "--reuse-changed", help="Count runs that were trained with another content of a plug-in file or data set."
        ),
    ] = False,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Continue runs of a process on another machine that is gone.")
    ] = False,
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
    at_once = jobs_of(jobs)
    sharing, at_once = sharing_of(processes, at_once, jobs_per_gpu)
    if at_once == 0:
        check_in_this_process(jobs, {"--timeout": timeout, "--threads": threads, "--jobs-per-gpu": jobs_per_gpu})
    if fail_fast and max_failures is not None:
        raise ConfigError("--fail-fast is --max-failures 1; leave one of the two out.")
    where = Where(engine, cpus_per_run, threads, ray_address, partition, time, gpus, max_concurrent)
    where.check(jobs, jobs_per_gpu, sharing)
    if engine == Engine.LOCAL and at_once != 0 and not dry_run:
        forkserver.begin()  # it imports torch while this process does
    from samcli import launch
    from samcli.train.device import resolve_precision
    from samcli.train.ranks import follow, joined_as_launched
    from samcli.train.sharing import check_sharing

    say(quiet=quiet, verbose=verbose)
    chosen = where.device(device)
    if ctx.with_resource(joined_as_launched(chosen)) != 0:
        follow()
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
    )
    expanded = draft.expand()
    where.check_precision(expanded, chosen)
    runs = [resolve_precision(run, chosen) for run in expanded]
    tell_left_out(draft.left_out)
    check_sharing(runs, sharing, chosen)
    cells = launch.plan(
        runs,
        results,
        data_dir=data_dir,
        reuse_changed=reuse_changed,
        take_over=take_over,
        retry_failed=retry_failed,
    )
    slots = launch.slots_of(
        sum(cell.to_do or cell.state == "busy" for cell in cells),
        launch.available_cores(),
        launch.devices_like(chosen),
        jobs=at_once,
        jobs_per_gpu=jobs_per_gpu,
        threads=threads,
    )
    if dry_run:
        check_no_file(results)
        tell_changes(cells)
        show_plan(cells, _estimate(cells, slots, results), json)
        try_out(cells, data_dir)
        return
    check_writable(results)
    terms = launch.Terms(data_dir, chosen, timeout, 1 if fail_fast else max_failures, sharing)
    outcome = _run(cells, draft.hypotheses, terms, where, slots)
    _report(cells, outcome, json)
    if any(status in ("failed", "diverged", "busy", "interrupted") for status in outcome.values()):
        raise typer.Exit(1)


def _estimate(cells: list[Cell], slots: list[Slot], results: Path) -> Estimate:
    """How long what is left to do takes, from finished runs of the experiment, or else of all results."""
    from samcli.launch import available_cores
    from samcli.launch.estimate import estimate

    places = dict.fromkeys(cell.folder.path.parent for cell in cells)
    device = slots[0].device.type if slots else "cpu"
    return estimate(
        [(cell.config.document(), cell.epochs_left) for cell in cells if cell.epochs_left],
        [*places, results],
        jobs=max(len(slots), 1),
        threads=slots[0].threads if slots else None,
        device=device,
        cores=len(available_cores()) if device == "cpu" else None,
    )


def _record(cells: list[Cell], hypotheses: Sequence[Hypothesis]) -> None:
    """Keep what is expected of the runs, before they are trained."""
    from samcli.runs.hypotheses_file import record

    for place in dict.fromkeys(cell.folder.path.parent for cell in cells):
        record(place, hypotheses, sum(c.state == "finished" for c in cells if c.folder.path.parent == place))


def _run(
    cells: list[Cell], hypotheses: Sequence[Hypothesis], terms: Terms, where: Where, slots: list[Slot]
) -> dict[str, str]:
    """Train what is left to do under a progress display; Ctrl-C and a request to terminate stop it resumably."""
    from samcli.cli.progress import progress_for
    from samcli.train.rehearsal import rehearse

    for cell in cells:
        detail(f"{cell.state:<9} {cell.folder.path} on {terms.device}, {cell.config.training.precision}")
    tell_earlier(cells)
    tell_changes(cells)
    to_do = [cell.config for cell in cells if cell.to_do]
    try:
        rehearse(to_do, terms.data_dir)
        _record(cells, hypotheses)
        tell_contents(to_do, terms.data_dir)
        with progress_for(cells, max(len(slots), 1)) as observer:
            return where.train(cells, terms, observer, slots)
    except KeyboardInterrupt as error:
        raise Interrupted("Interrupted between two runs; the same command continues.") from error


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
