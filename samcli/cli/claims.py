"""`samcli claims`: what the literature says of SAM, put to the test."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from samcli.cli import complete
from samcli.cli.afterwards import look_at_networks
from samcli.cli.asked_claims import (
    Asked,
    asked_for,
    claim_names,
    known_claims,
    most_informative,
    seconds_left,
    seconds_of,
    shipped_claim,
)
from samcli.cli.draft import draft_of
from samcli.cli.engine import Engine, Where
from samcli.cli.expected import check_hypotheses, check_picture, record_expected
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
    OnEngine,
    Partition,
    Plugins,
    Quiet,
    RayAddress,
    ResultsFolder,
    RetryFailed,
    TakeOver,
    Threads,
    Timeout,
    Verbose,
)
from samcli.cli.output import document, hint, result, say, shows_bold, terminal_width, text, warn
from samcli.cli.planned import check_no_file, check_writable, plan_record, show_plan, tell_changes, try_out
from samcli.cli.training import Training
from samcli.errors import ConfigError, DataError
from samcli.words import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from samcli.report.claimed import Claimed

EXAMPLE = "Example: samcli claims noise --jobs 2"


def claims(
    ctx: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="A claim, or the file of one of your own; a list of them if left out.",
            autocompletion=complete.claims,
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All of them, most informative for their time first.")] = False,
    within: Annotated[
        str | None, typer.Option(metavar="TIME", help="With --all: those that fit into 30min or 2h, by what they took.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="At the source's size, which may take days on GPUs.")] = False,
    seeds: Annotated[list[str] | None, typer.Option(help="Seeds: 0-4 or 0,2,5.", show_default="the file's")] = None,
    plugin: Plugins = None,
    results: ResultsFolder = Path("results/claims"),
    data_dir: DataDir = Path("data"),
    cache_dir: CacheDir = None,
    device: Device = "auto",
    jobs: Jobs = "auto",
    jobs_per_gpu: JobsPerGpu = None,
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
    take_over: TakeOver = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would run, look at the data, and train nothing.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Put a published claim about SAM to the test, and say what became of it.

    Each is an experiment whose hypotheses were written before it was run. It ends with held, contradicted, or undecided
    and what it would take, beside the published numbers, a table and a picture. The same command goes on where it was.
    """
    say(quiet=quiet, verbose=verbose)
    if every and (name is not None or full):
        raise ConfigError("--all is all claims at their small size; leave the name and --full out, or leave --all out.")
    if within is not None and not every:
        raise ConfigError("--within is for --all; add it, or leave --within out.")
    seconds = None if within is None else seconds_of(within)
    if name is None and not every:
        if full or dry_run or seeds:
            raise ConfigError("--full, --seeds and --dry-run are for a claim; name one, see samcli claims.")
        _list(results, json)
        return
    how = Training.of(
        where=Where(engine, cpus_per_run, threads, ray_address, partition, time, gpus, max_concurrent),
        device=device,
        jobs=jobs,
        jobs_per_gpu=jobs_per_gpu,
        processes=None,
        results=results,
        data_dir=data_dir,
        cache_dir=cache_dir,
        timeout=timeout,
        retry_failed=retry_failed,
        take_over=take_over,
        begins=not dry_run,
    )
    if how.is_followed(ctx):
        return
    names = [name] if name is not None else claim_names()
    asked = [asked_for(one, how, plugins=plugin or [], seeds=seeds, full=full) for one in names]
    chosen = asked
    if every:
        left = {one.name: seconds_left(one, how) for one in asked}
        chosen = most_informative(asked, known_claims(results), seconds, left)
    if dry_run:
        plans = [_dry(one, how, shown=not json) for one in chosen]
        if json:
            document(plans if every else plans[0])
        return
    found, failed = _run_each(chosen, how, device, json)
    if json:
        document([_record(one) for one in found])
    if failed:
        raise typer.Exit(1)


def _run_each(chosen: Sequence[Asked], how: Training, device: str, json: bool) -> tuple[list[Claimed], bool]:
    """Run claims one after the other; one of several that cannot be run is told and passed over.

    Returns:
        What became of them, and whether any could not be run as a whole.
    """
    found, failed = [], False
    for one in chosen:
        if len(chosen) > 1:
            hint(f"Claim: {one.name}")
        try:
            told, unfinished = _run(one, how, device)
        except (DataError, ConfigError) as error:
            if len(chosen) == 1:
                raise
            warn(f"samcli: {one.name}: {error}")
            failed = True
            continue
        found += told
        failed = failed or unfinished
        if not json:
            for each in told:
                _show(each, how.results)
    return found, failed


def _list(results: Path, json: bool) -> None:
    """Show all claims, and what is known of each so far."""
    from samcli.report.claims_table import claims_table
    from samcli.report.small_table import written

    known = {one.name: one for one in known_claims(results)}
    drafts = [draft_of(shipped_claim(name), chosen={}, shorthand={}) for name in claim_names()]
    table = claims_table([(draft.expand(), draft.claim, known) for draft in drafts if draft.claim])
    text(written(table, "json" if json else "table", width=terminal_width(), color=shows_bold()))


def _dry(one: Asked, how: Training, *, shown: bool) -> dict[str, object]:
    """Show what would run, and look at the data.

    Returns:
        What would run, as plain values with the claim's name.
    """
    cells = how.plan(one.runs)
    check_no_file(how.results)
    check_hypotheses(one.draft, how.data_dir)
    check_picture(one.draft, one.runs, how.data_dir)
    tell_changes(cells)
    estimate = how.estimate(cells, how.slots(cells))
    if shown:
        show_plan(cells, estimate, json=False)
    try_out(cells, how.data_dir)
    return {"name": one.name} | plan_record(cells, estimate)


def _run(one: Asked, how: Training, device: str) -> tuple[list[Claimed], bool]:
    """Train what is left of a claim, look at its networks, judge it, and write its numbers and its picture.

    Returns:
        The claim, none if no run of it has begun, and whether some of its runs did not finish or not all of its
            networks could be looked at.
    """
    from samcli.report.claim_files import write_claim
    from samcli.report.claimed import claimed
    from samcli.report.judging import runs_asked_for, withdrawn
    from samcli.runs.reader import scan

    assert one.draft.claim is not None
    check_hypotheses(one.draft, how.data_dir)
    check_picture(one.draft, one.runs, how.data_dir)
    cells = how.plan(one.runs)
    check_writable(how.results)
    outcome = how.train(cells, how.slots(cells), before=lambda: record_expected(cells, one.draft))
    if unfinished := sum(status in ("failed", "busy", "interrupted") for status in outcome.values()):
        warn(f"warning: {count(unfinished, 'run')} of {one.name} did not finish; see samcli runs {how.results}")
    place = cells[0].folder.path.parent
    runs, warnings = scan([place])
    runs, others = runs_asked_for(place, runs)
    complete = not unfinished
    if any(run.state == "finished" for run in runs):
        looked_at = look_at_networks(one.draft.claim.afterwards, place, data_dir=how.data_dir, device=device)
        complete = complete and looked_at
    for warning in [*warnings, *filter(None, [others]), *withdrawn(place, runs)]:
        warn(f"warning: {warning}")
    found = claimed(runs)
    for each in found:
        for sentence in write_claim(each, runs, place):
            hint(sentence)
    return found, not complete


def _show(found: Claimed, results: Path) -> None:
    from samcli.report.claims_table import claim_lines
    from samcli.report.judged_table import hypotheses_table
    from samcli.report.small_table import written

    for line in claim_lines(found, results, before=True, width=terminal_width()):
        result(line)
    text(written(hypotheses_table(found.judgements), "table", width=terminal_width(), color=sys.stdout.isatty()))
    for line in claim_lines(found, results, before=False):
        hint(line)


def _record(found: Claimed) -> dict[str, object]:
    from samcli.report.judged_table import judged_records

    claim = found.claim
    return {
        "name": found.name,
        "says": claim.says,
        "source": claim.source,
        "where": claim.where,
        "published": claim.published,
        "setting": claim.setting,
        "differs": claim.differs,
        "not_at_size": claim.not_at_size,
        "traps": list(claim.traps),
        "verdict": str(found.outcome),
        "words": found.words(),
        "hypotheses": judged_records(found.judgements),
    }
