"""Progress of the training: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from samcli.cli.output import hint
from samcli.escape import visible
from samcli.launch import Cell
from samcli.metrics import score_among
from samcli.report.settings import distinguishing, label


class PlainProgress:
    """A line when a run begins, now and then while it trains, and when it ends."""

    SECONDS_BETWEEN_LINES = 10.0

    def __init__(self, cells: list[Cell]) -> None:
        settings = distinguishing([cell.config.document() for cell in cells])
        self._labels = {
            cell.folder: visible(f"{_names(cell)} {label(words)}".strip()) + f" seed {cell.config.seed}"
            for cell, words in zip(cells, settings, strict=True)
        }
        self._total = sum(cell.to_do for cell in cells)
        self._number = 0
        self._last = 0.0
        self._line = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def started(self, cell: Cell) -> None:
        self._number += 1
        self._last = time.monotonic()
        self._line = ""
        again = f", continuing after epoch {cell.epochs_done}" if cell.epochs_done else ""
        hint(f"run {self._number}/{self._total}  {self._labels[cell.folder]}{again}")

    def epoch_done(self, cell: Cell, row: dict[str, Any]) -> None:
        self._line = f"  epoch {row['epoch']}/{cell.config.training.epochs}  {summary(row)}"
        if time.monotonic() - self._last > self.SECONDS_BETWEEN_LINES:
            self._tell()

    def _tell(self) -> None:
        """Print the last epoch's line, once."""
        if self._line:
            hint(self._line)
        self._last, self._line = time.monotonic(), ""

    def noticed(self, cell: Cell, sentence: str) -> None:
        hint(f"  {sentence}")

    def ended(self, cell: Cell, status: str, message: str) -> None:
        if status == "finished":
            self._tell()
        else:
            hint(f"  {self._labels[cell.folder]} {status}. {message}")


class RichProgress(PlainProgress):
    """A bar for all epochs of all runs and one for the current run."""

    def __init__(self, cells: list[Cell]) -> None:
        super().__init__(cells)
        console = Console(stderr=True)
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("epochs"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[summary]}"),
            console=console,
            transient=False,
        )
        epochs = sum(cell.epochs_left for cell in cells)
        self._all = self._bars.add_task("all runs", total=epochs, summary="")
        self._current: TaskID | None = None
        self._summary = ""

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def started(self, cell: Cell) -> None:
        self._number += 1
        self._summary = ""
        self._current = self._bars.add_task(
            self._labels[cell.folder], total=cell.config.training.epochs, completed=cell.epochs_done, summary=""
        )

    def epoch_done(self, cell: Cell, row: dict[str, Any]) -> None:
        assert self._current is not None
        self._summary = summary(row)
        self._bars.update(self._current, advance=1, summary=self._summary)
        self._bars.update(self._all, advance=1)

    def noticed(self, cell: Cell, sentence: str) -> None:
        self._bars.console.print(sentence, markup=False, highlight=False)

    def ended(self, cell: Cell, status: str, message: str) -> None:
        assert self._current is not None
        # a run that stopped at a training loss leaves out epochs
        self._bars.update(self._all, advance=next(t.remaining or 0 for t in self._bars.tasks if t.id == self._current))
        self._bars.remove_task(self._current)  # a line above the bars instead: a grid may have more runs than lines
        words = self._summary if status == "finished" else visible(f"{status}. {message}")
        self._bars.console.print(f"{self._labels[cell.folder]}  {words}", markup=False, highlight=False)


def progress_for(cells: list[Cell]) -> PlainProgress:
    """Bars if a person is watching, lines otherwise.

    >>> import contextlib, io
    >>> with contextlib.redirect_stderr(io.StringIO()):
    ...     type(progress_for([])).__name__
    'PlainProgress'
    """
    return RichProgress(cells) if sys.stderr.isatty() else PlainProgress(cells)


def _names(cell: Cell) -> str:
    """The names of a run; what else tells it from the others depends on these."""
    config = cell.config
    return f"{config.dataset['name']} {config.model['name']} {config.optimizer['name']}"


def summary(row: dict[str, Any]) -> str:
    """The row's loss and score in a few words.

    >>> summary({"epoch": 3, "train_loss": 0.25, "test_accuracy": 0.9, "sharpness": None})
    'loss 0.2500  test accuracy 0.9000'
    """
    score = score_among(row).name
    parts = [f"loss {row['train_loss']:.4f}", f"test {score} {row[f'test_{score}']:.4f}"]
    if row.get("sharpness") is not None:
        parts.append(f"sharpness {row['sharpness']:.4f}")
    return "  ".join(parts)
