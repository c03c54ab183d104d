"""The one who is told how far the runs are."""

from __future__ import annotations

from typing import Protocol

from samcli.launch.cell import Cell
from samcli.runs import EpochMetrics


class Observer(Protocol):
    """Whoever an engine tells how far the runs are."""

    def started(self, cell: Cell) -> None:
        """A run begins or continues."""

    def epoch_done(self, cell: Cell, row: EpochMetrics) -> None:
        """An epoch is finished and saved."""

    def noticed(self, cell: Cell, sentence: str) -> None:
        """Something is to be known of a run, such as a checkpoint put aside, or that another process trains it."""

    def ended(self, cell: Cell, status: str, message: str) -> None:
        """A run is over: `finished`, `diverged`, `failed` or `busy`, with an explanation unless it finished."""
