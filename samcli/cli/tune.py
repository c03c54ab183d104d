"""`samcli tune`: settings for every optimizer by a search that is as long for each of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from samcli.cli import complete
from samcli.cli.draft import draft_of
from samcli.cli.engine import Engine, Where
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
from samcli.cli.output import document, hint, result, say, terminal_width, text, warn
from samcli.cli.output_file import check_output_file
from samcli.cli.planned import check_no_file, check_writable
from samcli.cli.searching import Search
from samcli.cli.training import Training
from samcli.errors import ConfigError
from samcli.shipped import experiment_file

if TYPE_CHECKING:
    from samcli.tune.search import Progress

EXAMPLE = "Example: samcli tune fair"


def tune(
    ctx: typer.Context,
    experiment: Annotated[
        Path,
        typer.Argument(
            metavar="EXPERIMENT",
            help="An experiment file with tune:, or the name of one that comes with samcli.",
            autocompletion=complete.experiments,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE.yaml",
            help="The experiment file to write.",
            show_default="NAME-tuned.yaml beside the file; of a name here",
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=10_000,
            help="Trials of each optimizer, whatever tune: says of its budget.",
            show_default="trials or evaluations of tune:",
        ),
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
    reuse_changed: ReuseChanged = False,
    take_over: TakeOver = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be searched, and train nothing.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Search settings for every optimizer of an experiment, and write the experiment with those that were chosen.

    Each optimizer has as many trials, or as many gradient evaluations, and is judged by its validation score on seeds
    of the search. The test part plays no role. The same command continues a search that was interrupted.
    """
    say(quiet=quiet, verbose=verbose)
    from samcli.tune import suggest

    suggest.require()
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
        retry_failed=retry_failed,
        reuse_changed=reuse_changed,
        take_over=take_over,
        begins=not dry_run,
    )
    if how.is_followed(ctx):
        return
    draft = draft_of(
        experiment, plugins=plugin or [], chosen={}, name=name, shorthand={}, assignments=set_ or [], only=only or []
    )
    if draft.tuning is None:
        from samcli.config.tune import EXAMPLE as BLOCK

        raise ConfigError(f"{experiment} does not say what to search; add tune: {BLOCK}")
    if draft.equal_compute:
        raise ConfigError(
            f"{draft.source.where(('equal_compute',))}: a search trains for the epochs that the file gives, which "
            "equal_compute changes; leave it out, and add it to the file that is written. To let every optimizer spend "
            "the same on its search, write evaluations: in place of trials:."
        )
    search = Search(how, draft, draft.tuning if trials is None else draft.tuning.with_trials(trials))
    # what comes with samcli is nobody's place to write to
    beside = experiment if experiment_file(experiment) == experiment else Path(experiment.name)
    output = output or beside.with_name(f"{search.runs[0].name}-tuned.yaml")
    _check_output(output)
    if dry_run:
        check_no_file(results)
        search.show(json)
        return
    check_writable(results)
    progress = search.train()
    _report(search, progress, output, json)


def _check_output(output: Path) -> None:
    """Refuse to write over a file that is somebody's own, or where nothing can be written.

    Raises:
        ConfigError: it is.
    """
    from samcli.tune.written import is_own

    check_output_file(output)
    if not is_own(output):
        raise ConfigError(
            f"{output} is there and is not as samcli tune wrote it; name another file with --output, or move it away."
        )


def _report(search: Search, progress: Progress, output: Path, json: bool) -> None:
    """Print what was found, and write the experiment with it.

    Raises:
        Exit: an optimizer has no trial that finished, so that there is nothing to write.
    """
    from samcli.report.text_table import text_table
    from samcli.tune.table import heading, summary, summary_texts, trial_rows, warnings_of

    untuned = [one["optimizer"] for one in summary(progress) if one["best_trial"] is None]
    if not untuned:
        _write(search, progress, output)
    if json:
        document(
            {
                "results": str(search.place),
                "written": None if untuned else str(output),
                "optimizers": summary(progress),
                "trials": trial_rows(progress),
            }
        )
    else:
        text(heading(progress))
        text(text_table(summary_texts(progress), width=terminal_width(), color=sys.stdout.isatty()))
    for sentence in warnings_of(progress):
        warn(f"warning: {sentence}")
    hint(f"Every trial: {search.place / 'tune.csv'}")
    if untuned:
        names = ", ".join(untuned)
        warn(f"samcli: No trial of {names} finished, so that no experiment is written; search smaller values.")
        raise typer.Exit(1)
    if not json:
        result(str(output))
    hint(f"Train it on the final seeds: samcli train {output}")


def _write(search: Search, progress: Progress, output: Path) -> None:
    """Write the experiment with the settings that were chosen."""
    from samcli.runs.files import write_atomic
    from samcli.train import CATALOGUE
    from samcli.tune.suggest import version
    from samcli.tune.table import comment
    from samcli.tune.written import experiment_text, fitting, tuned_runs

    _check_output(output)  # a search takes long
    runs = tuned_runs(search.runs, progress, search.tuning, CATALOGUE)
    kept, left = fitting(search.draft.hypotheses, runs, CATALOGUE)
    for one in left:
        hint(f"Left out of {output.name}, for it is on settings that were not chosen: {one.says}")
    words = comment(progress, search.tuning, version(), [one.says for one in left])
    write_atomic(output, experiment_text(runs, kept, words, CATALOGUE, written_out=search.tuning.space))
