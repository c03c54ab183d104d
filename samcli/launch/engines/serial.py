"""Runs one after the other in this process."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from pathlib import Path

import torch

from samcli.errors import Interrupted, ResultsError, SamcliError
from samcli.launch.cell import Cell
from samcli.launch.observer import Observer
from samcli.train import train_run
from samcli.train.session import Row


def run_all(cells: Sequence[Cell], *, data_dir: Path, device: torch.device, observer: Observer) -> dict[str, str]:
    """Train every cell that is left to do; one that fails does not stop the others.

    An unexpected error ends one run and is told with its traceback. An error of the operating system, such as a full
    disk, would meet every run, and goes through.

    Args:
        cells: the plan.
        data_dir: where data sets lie.
        device: where to train.
        observer: is told of progress.

    Returns:
        The status of every cell by the name of its folder.

    Raises:
        Interrupted: on Ctrl-C; whatever was finished is kept.
        ResultsError: the results cannot be written.
    """
    outcome: dict[str, str] = {}
    for cell in cells:
        name = cell.folder.path.name
        if not cell.to_do:
            outcome[name] = cell.state
            continue
        observer.started(cell)
        message = ""
        try:

            def on_epoch(row: Row, cell: Cell = cell) -> None:
                observer.epoch_done(cell, row)

            status = train_run(cell.config, cell.folder, data_dir=data_dir, device=device, on_epoch=on_epoch)
            if status != "finished":
                message = str(cell.folder.read_status().get("error") or "")
        except (Interrupted, ResultsError, OSError):
            raise
        except SamcliError as error:
            status, message = "failed", str(error)
        except Exception:
            status, message = "failed", traceback.format_exc()
        outcome[name] = status
        observer.ended(cell, status, message)
    return outcome
