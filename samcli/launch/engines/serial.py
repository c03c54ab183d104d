"""The serial engine: runs one after the other, in this process."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch

from samcli.launch.cell import Cell, train_cell
from samcli.launch.engines._turn import at_its_turn
from samcli.launch.observer import Observer


def run_all(cells: Sequence[Cell], *, data_dir: Path, device: torch.device, observer: Observer) -> dict[str, str]:
    """Train every cell that is left to do; one that fails does not stop the others.

    Two processes may be given the same cells: what the other one trains meanwhile, or has trained, is left alone.

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
        OSError: an error of the operating system, such as a full disk.

    >>> class Silent:
    ...     started = epoch_done = noticed = ended = lambda self, *told: None
    >>> run_all([], data_dir=Path(), device=torch.device("cpu"), observer=Silent())
    {}
    """
    outcome: dict[str, str] = {}
    for planned in cells:
        cell = at_its_turn(planned, observer)
        outcome[cell.folder.path.name] = cell.state
        if cell.to_do:
            observer.started(cell)
            status, message = train_cell(
                cell,
                data_dir=data_dir,
                device=device,
                on_epoch=partial(observer.epoch_done, cell),
                on_notice=partial(observer.noticed, cell),
            )
            outcome[cell.folder.path.name] = status
            observer.ended(cell, status, message)
    return outcome
