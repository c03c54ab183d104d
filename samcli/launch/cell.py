"""One run of a grid, and training it: the function that every engine calls."""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from samcli.config import RunConfig
from samcli.errors import Interrupted, RunBlocked, RunBusy, SamcliError, in_words, meets_every_run
from samcli.registry import is_plugins_own
from samcli.runs import EpochMetrics
from samcli.runs.files import put_aside
from samcli.runs.folder import RunFolder
from samcli.runs.lease import Lease
from samcli.runs.owner import NAME
from samcli.train import train_run
from samcli.train.continuing import status_of


@dataclass(frozen=True)
class Cell:
    """One run of a grid.

    Attributes:
        config: the run.
        folder: where its files are.
        state: `new`, `resume` (stopped after some epochs), `restore` (finished, and has lost files that its checkpoint
            holds), `changed` (trained with another plug-in file or other data), `finished`, `diverged`, `failed`, or
            `busy` (another process is training it).
        epochs_done: finished epochs so far; 0 for a run that begins anew.
        detail: who trains a `busy` run, what is `changed`, why it `failed`, or why a `new` one does not go on from one
            of fewer epochs, in words.
        take_over: whether it is taken from a process that may be gone.
        dead: the claim of a process that was watched in vain, see `samcli.runs.owner.Watch`.
        may_show: whether a `busy` run is worth waiting for: whoever trains it gives signs of life.
        changed_since: when the attempt began that is `changed`; another one since is no longer that.
        shorter: the folder of a finished run of fewer epochs from which it goes on; None if there is none.
        head_start: how many epochs that has.
        failed_at: when the failure was that is to be tried again; None if there was none, or it is to be left alone.
    """

    config: RunConfig
    folder: RunFolder
    state: str
    epochs_done: int
    detail: str = ""
    take_over: bool = False
    dead: str | None = None
    may_show: bool = True
    changed_since: str | None = None
    failed_at: str | None = None
    shorter: RunFolder | None = None
    head_start: int = 0

    @property
    def to_do(self) -> bool:
        """Whether training or restoring it is left to do."""
        return self.state in ("new", "resume", "restore", "changed")

    @property
    def epochs_left(self) -> int:
        """How many epochs are left to train, if it ends at no training loss before."""
        return self.config.training.epochs - self.epochs_done if self.to_do else 0


def cleared(cell: Cell) -> Cell:
    """The cell with an empty folder if it is `changed`: what that had is put aside, see `train_cell`.

    Raises:
        RunBusy: another process has it, or has begun it anew since it was looked at.
    """
    if cell.state != "changed":
        return cell
    folder = cell.folder.path
    with Lease(folder, take_over=cell.take_over, dead=cell.dead):
        if attempt_of(cell) != cell.changed_since:
            raise RunBusy(f"{folder.name} was begun anew by another process at this moment.")
        aside = put_aside(folder, folder.parent / ".replaced" / folder.name)
        (aside / NAME).unlink(missing_ok=True)  # the lease went with it
    return dataclasses.replace(cell, state="new", detail="")


def attempt_of(cell: Cell) -> str:
    """When the attempt began whose files are in a cell's folder, as far as its `run.json` tells.

    >>> from samcli.config import Draft, parse
    >>> from samcli.train import CATALOGUE
    >>> (config,) = Draft.of(parse("{dataset: wine, optimizer: sgd}", "wine.yaml"), CATALOGUE).expand()
    >>> attempt_of(Cell(config, RunFolder(Path("nowhere")), "new", 0))
    'None'
    """
    return str(status_of(cell.config, cell.folder).get("started"))


def train_cell(
    cell: Cell,
    *,
    data_dir: Path,
    device: torch.device,
    processes: int = 1,
    conditions: Mapping[str, Any] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    on_epoch: Callable[[EpochMetrics], None] = lambda row: None,
    on_notice: Callable[[str], None] = lambda sentence: None,
) -> tuple[str, str]:
    """Train a run so that whatever goes wrong in it does not stop the others.

    An unexpected error ends this run and is told with its traceback. What would meet every run goes through. What a
    `changed` run had is put aside into the folder `.replaced` of its experiment.

    Args:
        cell: the run, with its folder.
        data_dir: where data sets lie.
        device: where to train.
        processes: how many share each batch, see `samcli.train.ranks`.
        conditions: what `run.json` tells of the circumstances besides.
        should_stop: asked before each epoch whether the run is to be interrupted there.
        on_epoch: called with each new row.
        on_notice: is told in a sentence what a user should know besides.

    Returns:
        The status it ended with, `finished`, `diverged`, `failed` or `busy`, and an explanation unless it finished.

    Raises:
        Interrupted: on Ctrl-C, or asked to stop; whatever was finished is kept.
        ResultsError: the results of no run can be written.
        OSError: an error of the operating system, such as a full disk.

    >>> import tempfile
    >>> from samcli.config import Draft, parse
    >>> from samcli.train import CATALOGUE
    >>> text = "{dataset: wine, epochs: 2, optimizer: sgd, sharpness: {every: 0}}"
    >>> (config,) = Draft.of(parse(text, "wine.yaml"), CATALOGUE).expand()
    >>> with tempfile.TemporaryDirectory() as results:
    ...     cell = Cell(config, RunFolder(Path(results, "run")), "new", 0)
    ...     train_cell(cell, data_dir=Path(), device=torch.device("cpu"))
    ('finished', '')
    """
    try:
        cell = cleared(cell)
        status = train_run(
            cell.config,
            cell.folder,
            data_dir=data_dir,
            device=device,
            take_over=cell.take_over,
            dead=cell.dead,
            shorter=cell.shorter,
            processes=processes,
            conditions=conditions,
            should_stop=should_stop,
            on_epoch=on_epoch,
            on_notice=on_notice,
        )
    except RunBlocked as error:
        return "failed", str(error)
    except Interrupted:
        raise
    except RunBusy as error:
        return "busy", str(error)
    except Exception as error:
        if meets_every_run(error) and not is_plugins_own(error):
            raise
        if isinstance(error, SamcliError):
            return "failed", str(error)
        return "failed", (None if is_plugins_own(error) else in_words(error)) or traceback.format_exc()
    return status, "" if status == "finished" else str(cell.folder.read_status().get("error") or "")
