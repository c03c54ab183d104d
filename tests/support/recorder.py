"""An observer that keeps what it is told."""

from samcli.launch import Cell
from samcli.runs import EpochMetrics


class Recorder:
    def __init__(self) -> None:
        self.events: list[tuple[object, ...]] = []

    def started(self, cell: Cell) -> None:
        self.events.append(("started", cell.config.optimizer["name"]))

    def epoch_done(self, cell: Cell, row: EpochMetrics) -> None:
        self.events.append(("epoch", row["epoch"]))

    def noticed(self, cell: Cell, sentence: str) -> None:
        self.events.append(("noticed", sentence))

    def ended(self, cell: Cell, status: str, message: str) -> None:
        self.events.append(("ended", status, message))
