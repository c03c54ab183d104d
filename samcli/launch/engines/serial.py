"""The serial engine: runs one after the other, in this process."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

from samcli.launch.cell import Cell, train_cell
from samcli.launch.engines._ledger import SECONDS_BETWEEN_LOOKS, Ledger
from samcli.launch.observer import Observer
from samcli.launch.terms import Terms


def run_all(cells: Sequence[Cell], terms: Terms, observer: Observer) -> dict[str, str]:
    """Train every cell that is left to do; one that fails does not stop the others.

    It serves who wants to stand in the middle of a run with a debugger: a crash is one of the whole command.

    Args:
        cells: the plan.
        terms: where to read and compute, and when to give up; `timeout` needs a process for each run and is not kept.
        observer: is told of progress.

    Returns:
        The status of every cell by the name of its folder.

    Raises:
        Interrupted: on Ctrl-C; whatever was finished is kept.
        ResultsError: the results cannot be written.
        OSError: an error of the operating system, such as a full disk.

    >>> import torch
    >>> from pathlib import Path
    >>> class Silent:
    ...     started = epoch_done = noticed = ended = lambda self, *told: None
    >>> run_all([], Terms(Path(), torch.device("cpu")), Silent())
    {}
    """
    ledger = Ledger(cells, terms, observer)
    while not ledger.finished:
        cell = ledger.next()
        if cell is None:
            time.sleep(SECONDS_BETWEEN_LOOKS / 10)
            continue
        ledger.begin(cell)
        status, message = train_cell(
            cell,
            data_dir=terms.data_dir,
            device=terms.device,
            processes=terms.processes,
            on_epoch=partial(observer.epoch_done, cell),
            on_notice=partial(observer.noticed, cell),
        )
        ledger.end(cell, status, message)
    return dict(ledger.outcome)
