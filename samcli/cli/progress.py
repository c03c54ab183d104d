"""Progress of the training: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from rich.console import Console

from samcli.cli.display import Bar, Display
from samcli.cli.output import aside, hint, is_quiet, warn
from samcli.escape import visible
from samcli.launch import Cell
from samcli.launch.time_left import TimeLeft
from samcli.metrics import score_among
from samcli.report.settings import distinguishing, label, spoken
from samcli.runs.folder import RunFolder


class PlainProgress:
    """A line when a run begins, now and then while it trains, and when it ends."""

    SECONDS_BETWEEN_LINES = 10.0

    def __init__(self, cells: list[Cell], part: str = "test") -> None:
        self._part = part
        settings = distinguishing([cell.config.document() for cell in cells])
        data = spoken(cell.config.dataset["name"] for cell in cells)
        self._labels = {cell.folder: _label(cell, words, data) for cell, words in zip(cells, settings, strict=True)}
        self._total = sum(cell.to_do or cell.state == "busy" for cell in cells)  # those may be left to do in the end
        self._numbers: dict[RunFolder, int] = {}  # in the order in which they first began
        self._last = 0.0
        self._lines: dict[RunFolder, str] = {}  # of each run under way, what is not yet told
        self._heading: RunFolder | None = None  # the run that the last line of its own named
        self._noticed: dict[str, RunFolder] = {}  # the run that first had each sentence

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def started(self, cell: Cell) -> None:
        number = self._numbers.setdefault(cell.folder, len(self._numbers) + 1)
        self._last = time.monotonic()
        self._lines[cell.folder] = ""
        self._heading = cell.folder
        again = f", continuing after epoch {cell.epochs_done}" if cell.epochs_done else ""
        hint(f"run {number}/{self._total}  {self._labels[cell.folder]}{again}")

    def epoch_done(self, cell: Cell, row: dict[str, Any]) -> None:
        self._lines[cell.folder] = f"epoch {row['epoch']}/{cell.config.training.epochs}  {summary(row, self._part)}"
        if time.monotonic() - self._last > self.SECONDS_BETWEEN_LINES:
            for folder in self._lines:
                self._tell(folder)

    def _tell(self, folder: RunFolder) -> None:
        """Print the line of a run's last epoch, once, with its name where another run trains or was named since."""
        if line := self._lines[folder]:
            alone = folder == self._heading and len(self._lines) == 1
            hint(f"  {line}" if alone else f"  {self._labels[folder]}  {line}")
        self._last, self._lines[folder] = time.monotonic(), ""

    def noticed(self, cell: Cell, sentence: str) -> None:
        if self._is_new(cell, sentence):
            warn(f"  {sentence}")

    def _is_new(self, cell: Cell, sentence: str) -> bool:
        """Whether no other run had the same sentence: what all runs begin with is told once."""
        return self._noticed.setdefault(sentence, cell.folder) == cell.folder

    def ended(self, cell: Cell, status: str, message: str) -> None:
        if status == "finished":
            self._tell(cell.folder)
        else:
            warn(f"  {self._labels[cell.folder]} {status}. {message}")
        del self._lines[cell.folder]


class RichProgress(PlainProgress):
    """A bar for all epochs of all runs and one for each run under way."""

    def __init__(self, cells: list[Cell], jobs: int = 1, part: str = "test") -> None:
        super().__init__(cells, part)
        self._time = TimeLeft(cells, jobs)
        self._epochs = {cell.folder: cell.epochs_left for cell in cells if cell.epochs_left}  # behind the bar of all
        self._all = Bar("all runs", total=sum(self._epochs.values()))
        self._current: dict[RunFolder, Bar] = {}
        self._console = Console(stderr=True)
        self._display = Display(self.bars, self._console)

    def bars(self) -> list[Bar]:
        """What is shown now."""
        return [self._all, *self._current.values()]

    def __enter__(self) -> Self:
        self._all.begin()
        self._display.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._current.clear()
        if self._all.done < self._all.total:  # what is left is nobody's business any more
            self._all.ended = True
        self._display.stop()

    def started(self, cell: Cell) -> None:
        self._lines[cell.folder] = ""
        bar = Bar(self._labels[cell.folder], cell.config.training.epochs, cell.epochs_done)
        bar.begin()
        self._current[cell.folder] = bar
        if cell.folder not in self._epochs:  # another process had it when this one began
            self._epochs[cell.folder] = cell.epochs_left
            self._all.total += cell.epochs_left
        self._time.started(cell)
        self._expect(cell)

    def epoch_done(self, cell: Cell, row: dict[str, Any]) -> None:
        bar = self._current[cell.folder]
        self._lines[cell.folder] = summary(row, self._part)
        bar.done += 1
        self._all.done += 1
        score = score_among(row).name
        if (value := row.get(f"{self._part}_{score}")) is not None:  # otherwise the last one known stays
            bar.score = f"{score} {value:.4f}"
        bar.more = f"loss {row['train_loss']:.4f}"
        self._time.epoch_done(cell, row)
        self._expect(cell)
        self._display.refresh()

    def _expect(self, cell: Cell) -> None:
        """Tell the bars what is known now of the time that is left."""
        self._current[cell.folder].expect(self._time.of(cell))
        self._all.expect(self._time.whole())

    def noticed(self, cell: Cell, sentence: str) -> None:
        if not cell.to_do:  # another process has it, or had it
            self._time.ended(cell)
            self._all.total -= self._epochs.pop(cell.folder, 0)
        if self._is_new(cell, sentence):
            self._tell_above(sentence)

    def ended(self, cell: Cell, status: str, message: str) -> None:
        bar = self._current.pop(cell.folder)  # a line above the bars instead: a grid may have more runs than lines
        if status in ("finished", "diverged"):
            self._all.done += bar.total - bar.done  # those that a stop at a training loss left out
        self._time.ended(cell)
        self._all.expect(self._time.whole())
        line = self._lines.pop(cell.folder)
        label = self._labels[cell.folder]
        words = fitted(line, self._console.width - len(label) - 2) if status == "finished" else f"{status}. {message}"
        self._tell_above(f"{label}  {words}")

    def _tell_above(self, line: str) -> None:
        self._console.print(aside(line), markup=False, highlight=False)


def fitted(line: str, width: int) -> str:
    """What a line has room for of a summary: the loss goes first, then the sharpness; the score stays.

    >>> fitted("loss 0.2500  test accuracy 0.9000  sharpness 0.0100", 40)
    'test accuracy 0.9000  sharpness 0.0100'
    """
    parts = line.split("  ")
    for name in ("loss", "sharpness"):
        if len("  ".join(parts)) > width and len(parts) > 1:
            parts = [part for part in parts if not part.startswith(name)]
    return "  ".join(parts)


def progress_for(cells: list[Cell], jobs: int = 1, part: str = "test") -> PlainProgress:
    """Bars if a person is watching, lines otherwise.

    Args:
        cells: the plan.
        jobs: how many runs train at once.
        part: of the data, whose score is shown.

    >>> import contextlib, io
    >>> with contextlib.redirect_stderr(io.StringIO()):
    ...     type(progress_for([])).__name__
    'PlainProgress'
    """
    watched = sys.stderr.isatty() and not is_quiet() and any(cell.to_do for cell in cells)
    return RichProgress(cells, jobs, part) if watched else PlainProgress(cells, part)


def _label(cell: Cell, words: Mapping[str, str], data: Mapping[str, str]) -> str:
    """What tells a run from the others: its names, the settings that are not those of all, and its seed."""
    told = " ".join(filter(None, [_names(cell, data), label(words, "dataset", "model"), label(words)]))
    return visible(told) + f" seed {cell.config.seed}"


def _names(cell: Cell, data: Mapping[str, str]) -> str:
    """The names of a run, that of its data as people say it; what else tells it from the others depends on these."""
    config = cell.config
    return f"{data[config.dataset['name']]} {config.model['name']} {config.optimizer['name']}"


def summary(row: dict[str, Any], part: str = "test") -> str:
    """The row's loss and score in a few words.

    >>> summary({"epoch": 3, "train_loss": 0.25, "test_accuracy": 0.9, "sharpness": None})
    'loss 0.2500  test accuracy 0.9000'
    """
    score = score_among(row).name
    parts = [f"loss {row['train_loss']:.4f}"]
    if (value := row.get(f"{part}_{score}")) is not None:
        parts.append(f"{part} {score.replace('_', ' ')} {value:.4f}")
    if row.get("sharpness") is not None:
        parts.append(f"sharpness {row['sharpness']:.4f}")
    return "  ".join(parts)
