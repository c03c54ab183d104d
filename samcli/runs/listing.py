"""What is told of every run below some folders, sound or not: for whoever watches, not for whoever compares."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samcli.errors import ResultsError
from samcli.metrics import task_scores
from samcli.runs.documents import STATUSES
from samcli.runs.folder import RunFolder
from samcli.runs.owner import Owner, owner_of
from samcli.runs.reader import config_of, folders_below, incompleteness, state_of, without_collection

DAMAGED = "damaged"  # its files cannot be read, or are not one run's
STATES = (*STATUSES, DAMAGED)


@dataclass(frozen=True)
class Listed:
    """A run as it is listed.

    Attributes:
        folder: that it lies in.
        state: one of `STATES`.
        owner: the process that trains it, or did when it was killed; None if there is none.
        epochs_done, epochs: how far it is, and goes; None where that is not known.
        age: seconds since its files changed last.
        metric, score: the last test score that it recorded and its column; None before the first.
        reason: why it failed, diverged or cannot be read; empty if nothing is to be said.
    """

    folder: Path
    state: str
    owner: Owner | None = None
    epochs_done: int | None = None
    epochs: int | None = None
    age: float | None = None
    metric: str | None = None
    score: float | None = None
    reason: str = ""

    def record(self) -> dict[str, Any]:
        """The same in plain values, as `samcli runs --json` has it.

        >>> Listed(Path("results/grid/a"), "failed", reason="No room.").record()["status"]
        'failed'
        """
        owner = self.owner and {
            "host": self.owner.host,
            "pid": self.owner.pid,
            "since": self.owner.since,
            "standing": self.owner.standing,
            "silence_seconds": self.owner.silence,
        }
        return {
            "folder": str(self.folder),
            "experiment": self.folder.parent.name,
            "run": self.folder.name,
            "status": self.state,
            "owner": owner,
            "epochs_done": self.epochs_done,
            "epochs": self.epochs,
            "age_seconds": self.age,
            "metric": self.metric,
            "score": self.score,
            "reason": self.reason or None,
        }


def list_runs(paths: Sequence[Path], states: Iterable[str] = STATES) -> tuple[list[Listed], list[str]]:
    """The runs in and below some folders in the order of their paths, and warnings of paths that hold none.

    Args:
        paths: each a results folder, an experiment or a run.
        states: those to list.

    Raises:
        ResultsError: none of the paths exists.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     RunFolder(Path(folder, "a")).write_status({"status": "failed"})
    ...     runs, warnings = list_runs([Path(folder)])
    >>> runs[0].state, runs[0].reason, warnings
    ('damaged', 'config.yaml is missing.', [])
    """
    folders, warnings = folders_below(paths)
    wanted = set(states)
    with without_collection():
        listed = [look(folder) for folder in sorted(folders)]
    return [run for run in listed if run.state in wanted], list(dict.fromkeys(warnings))


def look(folder: Path, *, beside: int | None = None) -> Listed:
    """What is told of the run in a folder now.

    Args:
        folder: that of the run.
        beside: the number of this process, where it has the folder and is not to be told as its owner.

    >>> look(Path("nowhere")).reason
    'run.json is missing.'
    """
    files = RunFolder(folder)
    try:
        status = files.read_status()
        config = config_of(files, status)
        state, owner = state_of(folder, status)
        if owner is None and status["status"] == "running":  # it may have ended between the two looks
            status = files.read_status()
            state, owner = state_of(folder, status)
        if beside is not None and owner and owner.pid == beside:
            state, owner = ("interrupted" if state == "running" else state), None
        if owner and owner.standing == "at work":  # it restores what it lost, or tries again
            state = "running"
        metric, score = _score(files, config, status)
    except ResultsError as error:
        owner = owner_of(folder, {})
        if owner and owner.alive and owner.pid != beside:  # it has not written all of its files yet
            return Listed(folder, "running", owner, age=_age(files))
        return Listed(folder, DAMAGED, owner, age=_age(files), reason=_what(error, folder))
    reason = "" if state in ("running", "finished") else str(status.get("error") or "").strip()
    return Listed(
        folder,
        state,
        owner,
        status.get("epochs_done"),
        config.get("epochs"),
        _age(files),
        metric,
        score,
        reason.splitlines()[-1] if reason else "",
    )


def _score(files: RunFolder, config: dict[str, Any], status: dict[str, Any]) -> tuple[str | None, float | None]:
    """The last test score and its column.

    Raises:
        ResultsError: the table is unsound, or missing though it was written.
    """
    if not files.metrics.exists() and not status.get("epochs_done") and status["status"] != "finished":
        return None, None
    names, values = files.read_values(status.get("metrics_digest") if status["status"] == "finished" else None)
    if fault := incompleteness(config, status, len(values)):
        raise ResultsError(f"{files.metrics} {fault}.")
    column = next((f"test_{score}" for score in task_scores() if f"test_{score}" in names), None)
    if column is None:
        return None, None
    known = [float(value) for value in values[:, names.index(column)] if not math.isnan(value)]
    return (column, known[-1]) if known else (None, None)


def _age(files: RunFolder) -> float | None:
    """Seconds since the last change of the run's files; the sign of life of its owner is none."""
    times = []
    for path in (files.run, files.metrics, files.checkpoint, files.config):
        try:
            times.append(os.stat(path).st_mtime)
        except OSError:
            continue
    return max(0.0, time.time() - max(times)) if times else None


def _what(error: ResultsError, folder: Path) -> str:
    """What is wrong with a folder, in the words of the error without the path and the way out."""
    what = str(error).replace(f"{folder}{os.sep}", "").partition("; ")[0]
    return what if what.endswith(".") else f"{what}."
