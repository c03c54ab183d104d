"""`samcli train`: run an experiment."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from samcli.cli import complete
from samcli.cli.options import DataDir, Device, Quiet, Verbose
from samcli.cli.output import detail, document, hint, result, say, terminal_width, text, warn
from samcli.errors import Interrupted, NothingToCompare, ResultsError

if TYPE_CHECKING:
    from samcli.config import Draft, RunConfig
    from samcli.launch import Cell

MOST_JOBS = 1024
EXAMPLE = "Example: samcli train --dataset fashion-mnist --model cnn --optimizer sgd,sam --seeds 0-2 --rho 0.05,0.1"


def train(
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
        int,
        typer.Option(
            min=1, max=MOST_JOBS, help="Runs that train at once, each in a process with its share of the cores."
        ),
    ] = 1,
    threads: Annotated[
        int | None,
        typer.Option(min=1, max=MOST_JOBS, help="Threads of each run; one for each of its cores if left out."),
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
    from samcli import config, launch
    from samcli.train.device import choose_device, resolve_precision

    say(quiet=quiet, verbose=verbose)
    draft = _read_draft(experiment, from_flags=any((dataset, model, optimizer)))
    for file in plugin or []:
        draft.plug_in(file)
    for section, names in (("dataset", dataset), ("model", model), ("optimizer", optimizer)):
        if names:
            draft.choose(section, config.names_in(names))
    if seeds:
        draft.assign("seeds", ",".join(seeds))
    if name is not None:
        draft.assign("name", name)
    # names before their options, whatever the order of the flags: a name starts from its defaults
    names_first: list[str] = []
    options: list[str] = []
    for assignment in sorted(set_ or [], key=lambda text: "." in text.partition("=")[0]):
        (names_first if assignment.partition("=")[0] in config.SECTIONS else options).append(assignment)
    for assignment in names_first:
        draft.set(assignment)
    given = {"epochs": epochs, "lr": lr, "rho": rho, "batch-size": batch_size, "label-noise": label_noise}
    for flag, texts in given.items():
        if texts:
            config.apply_shorthand(draft, flag, texts)
    for assignment in options:
        draft.set(assignment)

    chosen = choose_device(device)
    runs = [resolve_precision(run, chosen) for run in draft.expand()]
    cells = launch.plan(runs, results, data_dir=data_dir, reuse_changed=reuse_changed, take_over=take_over)
    if dry_run:
        _check_no_file(results)
        _tell_changes(cells)
        _show_plan(cells, json)
        _try_out(cells, data_dir)
        return
    _check_writable(results)
    outcome = _run(cells, data_dir, chosen, jobs, threads)
    _report(cells, outcome, json)
    if any(status in ("failed", "diverged", "busy", "interrupted") for status in outcome.values()):
        raise typer.Exit(1)


def _read_draft(experiment: Path | None, *, from_flags: bool) -> Draft:
    """The experiment file, the packaged quickstart, or for flags alone an empty draft of defaults."""
    from importlib import resources

    from samcli import config
    from samcli.train import CATALOGUE

    if experiment is not None:
        source = config.read(experiment)
        draft = config.Draft.of(source, CATALOGUE)
        draft.name = experiment.stem if draft.name is None else draft.name
        return draft
    if from_flags:
        return config.Draft.of(config.Source({}), CATALOGUE)
    text = resources.files("samcli").joinpath("experiments/quickstart.yaml").read_text(encoding="utf-8")
    return config.Draft.of(config.parse(text, "quickstart.yaml"), CATALOGUE)


def _try_out(cells: list[Cell], data_dir: Path) -> None:
    """Tell what training would find wrong with the data and the models; nothing is downloaded for it."""
    from samcli.train import CATALOGUE
    from samcli.train.rehearsal import rehearse

    runs: list[RunConfig] = []
    absent: dict[str, None] = {}
    for config in (cell.config for cell in cells if cell.to_do):
        kind = CATALOGUE.create("dataset", config.dataset)
        if kind.is_at_hand(data_dir):
            runs.append(config)
        else:
            absent[kind.title] = None
    for title in absent:
        hint(f"{title} is not in {data_dir} yet; training downloads it.")
    rehearse(runs, data_dir)
    _tell_contents(runs, data_dir)


def _tell_contents(runs: list[RunConfig], data_dir: Path) -> None:
    """Say once for each data set what it holds."""
    from samcli.train.digests import data_of

    each = {repr(config.dataset): config for config in runs}  # a folder of images is listed anew for each look at it
    for summary in dict.fromkeys(data_of(config, data_dir)["summary"] for config in each.values()):
        hint(summary)


def _check_no_file(results: Path) -> None:
    """Find out without writing anything that no results can go there.

    Raises:
        ResultsError: a file stands there.
    """
    if any(place.exists() and not place.is_dir() for place in (results, *results.parents)):
        raise ResultsError(f"A file stands where the results folder {results} would be; choose another with --results.")


def _check_writable(results: Path) -> None:
    """Find out now, not after the first epoch, whether the results can be written.

    Raises:
        ResultsError: they cannot.
    """
    probe = results / ".samcli-probe"
    try:
        results.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ResultsError(
            f"Cannot write to the results folder {results} ({error.strerror}); choose another with --results."
        ) from error


def _run(cells: list[Cell], data_dir: Path, device: Any, jobs: int, threads: int | None) -> dict[str, str]:
    """Train what is left to do under a progress display; Ctrl-C and a request to terminate stop it resumably."""
    from samcli import launch
    from samcli.cli.progress import progress_for
    from samcli.train.rehearsal import rehearse
    from samcli.words import count

    for cell in cells:
        detail(f"{cell.state:<9} {cell.folder.path} on {device}, {cell.config.training.precision}")
    waiting = sum(cell.to_do for cell in cells)
    kept = sum(cell.state == "finished" for cell in cells)
    if kept:
        are = "is" if kept == 1 else "are"
        hint(f"{kept} of {count(len(cells), 'run')} {are} finished already, {waiting} left to do.")
    for cell in cells:
        if cell.state in ("diverged", "busy"):
            warn(f"{cell.folder.path.name} {cell.detail or 'diverged before.'}")
    _tell_changes(cells)
    to_do = [cell.config for cell in cells if cell.to_do]
    try:
        rehearse(to_do, data_dir)
        _tell_contents(to_do, data_dir)
        with progress_for(cells) as observer:
            if jobs == 1 and threads is None:
                return launch.run_all(cells, data_dir=data_dir, device=device, observer=observer)
            return launch.run_at_once(
                cells, data_dir=data_dir, device=device, observer=observer, jobs=jobs, threads=threads
            )
    except KeyboardInterrupt as error:
        raise Interrupted("Interrupted between two runs; the same command continues.") from error


def _tell_changes(cells: list[Cell]) -> None:
    """Say once for each reason which runs are trained anew, and what becomes of the old ones."""
    from samcli.words import count

    reasons = Counter(cell.detail for cell in cells if cell.state == "changed")
    for reason, runs in reasons.items():
        warn(
            f"{count(runs, 'run')} of before used {reason}. They are trained anew, and what they gave is kept in the "
            "experiment's folder .replaced; with --reuse-changed it counts as it is."
        )


def _show_plan(cells: list[Cell], json: bool) -> None:
    """Print every run with its folder and state."""
    from samcli.words import count

    if json:
        runs = [
            {
                "folder": str(c.folder.path),
                "state": c.state,
                "epochs_done": c.epochs_done,
                "config": c.config.document(),
            }
            for c in cells
        ]
        document({"runs": runs})
        return
    for cell in cells:
        result(f"{cell.state:<9} {cell.epochs_done:>4}/{cell.config.training.epochs:<4} {cell.folder.path}")
    hint(f"{count(len(cells), 'run')}, {sum(cell.to_do for cell in cells)} left to do.")


def _report(cells: list[Cell], outcome: dict[str, str], json: bool) -> None:
    """Print the comparison of these runs, and where their files lie."""
    from json import loads

    from samcli.report import compare, render
    from samcli.runs.reader import scan

    runs, warnings = scan([cell.folder.path for cell in cells])
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
