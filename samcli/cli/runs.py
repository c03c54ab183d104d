"""`samcli runs`: what is there, what is at work, and what went wrong; `samcli runs rm` removes some of it."""

from __future__ import annotations

import difflib
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from samcli.cli import complete
from samcli.cli.options import Quiet
from samcli.cli.output import document, hint, result, say, terminal_width, text, warn
from samcli.errors import ConfigError, ResultsError

if TYPE_CHECKING:
    from samcli.runs.listing import Listed

EXAMPLE = "Example: samcli runs results/label-noise --status failed,interrupted"
REMOVAL_EXAMPLE = "Example: samcli runs rm results/label-noise --status failed --yes"
URGENT = ("running", "failed", "damaged", "diverged", "interrupted")  # shown first where there is not room for all

Results = Annotated[
    list[Path] | None,
    typer.Argument(metavar="RESULTS", help="Results folders, experiments or runs.", autocompletion=complete.runs),
]
Status = Annotated[
    list[str] | None,
    typer.Option(
        metavar="WORDS",
        help=f"Only runs of this status, or several with commas: {', '.join(complete.STATES)}.",
        autocompletion=complete.states,
    ),
]


def runs(
    results: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="RESULTS", help="Results folders, experiments or runs.", autocompletion=complete.runs_or_rm
        ),
    ] = None,
    status: Status = None,
    watch: Annotated[bool, typer.Option("--watch", help="Draw the list anew until Ctrl-C, on a terminal.")] = False,
    every: Annotated[float, typer.Option(min=0.1, max=86_400, help="With --watch: seconds between two looks.")] = 2.0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")] = False,
    quiet: Quiet = False,
) -> None:
    """List runs: how far each is, who trains it, its last test score, and why it failed.

    A run whose process is gone is interrupted; the command that began it continues it. samcli runs rm removes runs.
    """
    say(quiet=quiet)
    states = _states(status)
    if watch:
        _watch(results or [Path("results")], states, every, json)
    found = _listed(results or [Path("results")], states)
    if json:
        document({"runs": [run.record() for run in found]})
        return
    from samcli.report.run_table import run_table, tally

    text(run_table(found, width=terminal_width()))
    hint(f"{tally(found)}.")


def remove(
    results: Results = None,
    status: Status = None,
    yes: Annotated[bool, typer.Option("--yes", help="Remove them; without it they are only shown.")] = False,
    quiet: Quiet = False,
) -> None:
    """Remove runs: their configuration, metrics and checkpoint. Without --yes shows which, and removes nothing.

    A run that is being trained stays, and so does a folder that holds anything which samcli did not write.
    """
    say(quiet=quiet)
    if not results and not status:
        raise ConfigError("Name the runs to remove, or say which with --status failed; see samcli runs -h.")
    from samcli.runs.removal import bytes_of, dead_claims, objection
    from samcli.runs.removal import remove as remove_run
    from samcli.words import count, size

    named = results or [Path("results")]
    kept, removed, total = 0, 0, 0
    runs = _listed(named, _states(status))
    elsewhere = [run for run in runs if run.owner and run.owner.standing == "unknown" and not objection(run, named)]
    if yes and elsewhere:
        hint(f"Looking for less than a minute whether other machines still train {count(len(elsewhere), 'run')}.")
    dead = dead_claims(elsewhere) if yes else set()
    for run in runs:
        bytes_there = bytes_of(run.folder)
        try:
            if yes:
                remove_run(run, named, dead)
            elif fault := objection(run, named):
                raise ResultsError(f"Kept: {run.folder} {fault}.")
        except ResultsError as error:
            warn(str(error))
            kept += 1
            continue
        removed, total = removed + 1, total + bytes_there
        result(f"{run.state:<11} {size(bytes_there):>9}  {run.folder}")
    done = "were removed" if yes else "would be removed"
    hint(f"{count(removed, 'run')}, {size(total)}, {done if removed != 1 else done.replace('were', 'was')}.")
    if removed and not yes:
        hint("Nothing is removed yet; add --yes.")
    if kept and yes:
        raise typer.Exit(1)


def _states(given: Sequence[str] | None) -> tuple[str, ...]:
    """The states that `--status` names; all of them if it is not given.

    Raises:
        ConfigError: there is no such state.
    """
    words = [word.strip() for text in given or () for word in text.split(",") if word.strip()]
    for word in words:
        if word not in complete.STATES:
            near = difflib.get_close_matches(word.lower(), complete.STATES, n=1)
            meant = f"did you mean {near[0]}?" if near else f"choose of {', '.join(complete.STATES)}."
            raise ConfigError(f"--status {word} is no status of a run; {meant}")
    if given and not words:  # as of a variable that is empty: it stands for no run, and not for all
        raise ConfigError(f"--status names no status; choose of {', '.join(complete.STATES)}, or leave it out.")
    return tuple(words) or complete.STATES


def _listed(paths: Sequence[Path], states: Sequence[str]) -> list[Listed]:
    """The runs of these states; paths that hold none are told."""
    from samcli.runs.listing import list_runs

    found, warnings = list_runs(paths, states)
    for warning in warnings:
        warn(f"warning: {warning}")
    return found


def _watch(paths: Sequence[Path], states: Sequence[str], every: float, json: bool) -> None:
    """Draw the list on the whole terminal until Ctrl-C.

    Raises:
        ConfigError: standard output is no terminal, or one document is asked for.
    """
    if json or not sys.stdout.isatty():
        what = "draws on a terminal and --json prints one document" if json else "needs a terminal to draw on"
        raise ConfigError(f"--watch {what}; leave --watch out, and call samcli runs again.")
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from samcli.report.run_table import screen
    from samcli.runs.listing import list_runs

    console = Console()
    list_runs(paths, states)  # what cannot be listed is told before the screen is taken
    try:
        with Live(console=console, screen=True, auto_refresh=False) as live:
            while True:
                found, _ = list_runs(paths, states)
                found.sort(key=lambda run: run.state not in URGENT)
                drawn = screen(found, console.width, console.height)
                live.update(Text(drawn, no_wrap=True, overflow="crop"), refresh=True)
                time.sleep(every)
    except KeyboardInterrupt:
        return  # the list as it is now follows
