"""The plan of an experiment: each of its runs with the folder it has and the state that folder is in."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from samcli.config import RunConfig
from samcli.config.schema import may_end_early
from samcli.launch.cell import Cell, attempt_of
from samcli.launch.folders import Place, places_of
from samcli.runs.folder import RunFolder
from samcli.runs.owner import Owner, Watch, owner_of
from samcli.runs.reader import is_readable, without_collection
from samcli.train.continuing import status_of
from samcli.train.digests import Digests
from samcli.train.longer import objection_to_going_on, of_epochs


def plan(
    runs: Sequence[RunConfig],
    results: Path,
    *,
    data_dir: Path = Path("data"),
    reuse_changed: bool = False,
    take_over: bool = False,
    retry_failed: bool = False,
) -> list[Cell]:
    """The cells of an experiment, from what lies in the results folder, and what the runs would be trained on today.

    >>> from samcli.config import Draft, parse
    >>> from samcli.train import CATALOGUE
    >>> runs = Draft.of(parse("{dataset: wine, optimizer: [sgd, sam], seeds: 0-1}", "wine.yaml"), CATALOGUE).expand()
    >>> [cell.state for cell in plan(runs, Path("nowhere"))]
    ['new', 'new', 'new', 'new']

    Args:
        runs: of the grid.
        results: the results folder.
        data_dir: where data sets lie.
        reuse_changed: whether a run counts that was trained with another plug-in file or other data.
        take_over: whether runs are taken from processes that may be gone.
        retry_failed: whether runs that failed are tried again, once.
    """
    today = None if reuse_changed else Digests(data_dir)
    with without_collection():
        cells = [
            _cell(
                _lengthened(Cell(run, RunFolder(place.path), "new", 0, take_over=take_over), place, today),
                today,
                owner_of,
                place,
            )
            for run, place in zip(runs, places_of(runs, results), strict=True)
        ]
    return [_retried(cell) if retry_failed and cell.state == "failed" else cell for cell in cells]


def look_again(cell: Cell, watch: Watch | None = None) -> Cell:
    """The cell in the state in which its folder is by now: another process may have trained it since.

    Args:
        cell: as it was planned, or looked at last.
        watch: what knows which processes give no sign of life any more.

    >>> from samcli.config import Draft, parse
    >>> from samcli.runs import RunFolder
    >>> from samcli.train import CATALOGUE
    >>> (run,) = Draft.of(parse("{dataset: wine, optimizer: sgd}", "wine.yaml"), CATALOGUE).expand()
    >>> look_again(Cell(run, RunFolder(Path("nowhere")), "new", 0)).state
    'new'
    """
    now = _cell(cell, None, watch.owner_of if watch else owner_of)
    if cell.state == "changed" and now.state != "busy" and attempt_of(cell) == cell.changed_since:
        return dataclasses.replace(cell, dead=now.dead)  # nobody has put it aside to begin it anew
    return now


def _cell(
    cell: Cell,
    today: Digests | None,
    look: Callable[[Path, Mapping[str, Any]], Owner | None],
    found: Place | None = None,
) -> Cell:
    status: Mapping[str, Any]  # what finished a moment ago still is; all else may have gone on
    if found and found.is_finished and found.status.get("identity") == cell.config.identity:
        status = found.status
    else:
        status = status_of(cell.config, cell.folder)
    owner = look(cell.folder.path, status)
    if owner is None and status.get("status") == "running":  # it may have ended between the two looks
        status = status_of(cell.config, cell.folder)
    if owner and owner.keeps(take_over=cell.take_over):
        done = int(status.get("epochs_done") or 0)
        return dataclasses.replace(cell, state="busy", detail=owner.words(), may_show=owner.may_show, epochs_done=done)
    state, detail = _state(cell, status, today)
    done = 0 if state == "changed" else int(status.get("epochs_done") or 0)
    if state == "new" and cell.shorter:
        state, done = "resume", cell.head_start
    elif state == "new" and cell.state == "new":
        detail = cell.detail
    since = str(status.get("started")) if state == "changed" else None
    dead = owner.token if owner else None
    return dataclasses.replace(
        cell, state=state, detail=detail, epochs_done=done, dead=dead, changed_since=since or cell.changed_since
    )


def _lengthened(cell: Cell, place: Place, today: Digests | None) -> Cell:
    """The cell with the finished run of fewer epochs that it goes on from, or with the reason why it cannot."""
    if place.shorter is None:
        return cell
    path, status = place.shorter
    epochs = int(status["epochs"])
    reason = objection_to_going_on(cell.config, epochs)
    if today and not reason and (change := today.change(of_epochs(cell.config, epochs), status)):
        reason = f"they were trained with {change}"
    if reason:
        return dataclasses.replace(cell, detail=reason)
    return dataclasses.replace(cell, shorter=RunFolder(path), head_start=int(status.get("epochs_done") or 0))


def _retried(cell: Cell) -> Cell:
    """The cell of a failed run as one that is tried again, unless it fails once more in the meantime."""
    failed_at = str(status_of(cell.config, cell.folder).get("ended"))
    return look_again(dataclasses.replace(cell, failed_at=failed_at))


def _state(cell: Cell, status: Mapping[str, Any], today: Digests | None) -> tuple[str, str]:
    """The state of a cell that nobody trains, and what is to be said of it."""
    begun = cell.folder.checkpoint.exists()
    if today and (status or begun) and (change := today.change(cell.config, status)):
        return "changed", change
    training, done = cell.config.training, status.get("epochs_done")
    complete = done == training.epochs or may_end_early(vars(training))
    if status.get("status") == "diverged":
        return "diverged", ""
    if status.get("status") == "failed" and cell.failed_at != str(status.get("ended")):
        return "failed", str(status.get("error") or "no reason is told").strip().splitlines()[-1][:500]
    if status.get("status") == "finished" and complete:
        return "finished" if is_readable(cell.folder, status) else "restore" if begun else "new", ""
    return "resume" if begun else "new", ""
