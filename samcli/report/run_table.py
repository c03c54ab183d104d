"""The list of runs as a text, for a terminal of any width or for whoever reads it line by line."""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Sequence

from samcli.escape import visible
from samcli.metrics import is_share, shown
from samcli.runs.listing import STATES, Listed
from samcli.runs.reader import Run
from samcli.words import count, lasting

GAP = "  "
INDENT = " " * 4
NARROWEST_NAME = 16
HEADINGS = ("run", "status", "epoch", "test", "age")
LONGEST = 300  # characters of a reason; all of it is in run.json


def run_table(runs: Sequence[Listed], *, width: int | None = None) -> str:
    """A line for each run; owner and reason at its end, or below it where the terminal is too narrow.

    Args:
        runs: those to show.
        width: of the terminal, in characters; None keeps each run in one line, however long.

    >>> from pathlib import Path
    >>> print(run_table([Listed(Path("results/grid/sgd-seed0"), "failed", None, 3, 30, 125.0, reason="No room.")]))
    run             status  epoch  test  age
    grid/sgd-seed0  failed  3/30         2 min  No room.
    <BLANKLINE>
    >>> print(run_table([], width=80), end="")
    """
    if not runs:
        return ""
    rows = [HEADINGS, *map(_cells, runs)]
    notes = ["", *map(_note, runs)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    natural = sum(widths) + len(GAP) * (len(widths) - 1)
    beside = width is None or natural + len(GAP) + max(map(len, notes)) <= width
    if width is not None and natural > width:
        widths[0] = max(width - natural + widths[0], NARROWEST_NAME)
    lines = []
    for cells, note in zip(rows, notes, strict=True):
        texts = [_end(cells[0], widths[0]), *cells[1:]]
        line = GAP.join(text.ljust(length) for text, length in zip(texts, widths, strict=True))
        lines.append(f"{line}{GAP}{note}".rstrip() if beside else line.rstrip())
        if note and not beside:
            lines += textwrap.wrap(note, width or 80, initial_indent=INDENT, subsequent_indent=INDENT)
    return "".join(f"{line}\n" for line in lines)


def tally(runs: Sequence[Listed] | Sequence[Run]) -> str:
    """How many runs there are of each status.

    >>> from pathlib import Path
    >>> tally([Listed(Path("a"), "failed"), Listed(Path("b"), "finished"), Listed(Path("c"), "finished")])
    '3 runs: 2 finished, 1 failed'
    """
    states = Counter(run.state for run in runs)
    parts = ", ".join(f"{states[state]} {state}" for state in STATES if states[state])
    return f"{count(len(runs), 'run')}{f': {parts}' if parts else ''}"


def _cells(run: Listed) -> tuple[str, ...]:
    done = "?" if run.epochs_done is None else str(run.epochs_done)
    epoch = "" if run.epochs is None else f"{done}/{run.epochs}"
    score = ""
    if run.metric is not None and run.score is not None and math.isfinite(run.score):
        score = shown(run.score, run.metric) + (" %" if is_share(run.metric) else "")
    age = "" if run.age is None else lasting(run.age)
    name = visible("/".join(run.folder.parts[-2:]))
    return name, run.state, epoch, score, age


def _note(run: Listed) -> str:
    """Who trains a run, or why it is not trained."""
    if run.state == "running" and run.owner:
        since = f" since {run.owner.since}" if run.owner.since else ""
        silent = ""
        if run.owner.standing == "unknown" and run.owner.silence is not None:
            silent = f", last sign of life {lasting(run.owner.silence)} ago"
        return visible(f"process {run.owner.pid} on {run.owner.host}{since}{silent}")
    reason = visible(run.reason)
    return reason if len(reason) <= LONGEST else f"{reason[: LONGEST - 1]}…"


def _end(text: str, length: int) -> str:
    """The text, or its end: of a run's name the end tells most."""
    return text if len(text) <= length else f"…{text[len(text) - length + 1 :]}"


def screen(runs: Sequence[Listed], width: int, height: int) -> str:
    """What of the list fits on a terminal: how many runs there are of each status, the first ones, and how many more.

    >>> from pathlib import Path
    >>> print(screen([Listed(Path(f"grid/{n}"), "finished") for n in range(9)], 60, 5))
    9 runs: 9 finished
    run     status    epoch  test  age
    grid/0  finished
    grid/1  finished
    and 7 more runs
    """
    most = len(runs)
    lines = run_table(runs, width=width).splitlines()
    while len(lines) + 1 + (most < len(runs)) > max(height, 4) and most > 1:
        most = max(1, min(most - 1, height))  # a run has a line at least
        lines = run_table(runs[:most], width=width).splitlines()
    more = [f"and {count(len(runs) - most, 'more run')}"] if most < len(runs) else []
    return "\n".join([tally(runs), *lines, *more])
