"""How far runs on other machines are, read from their folders: what survives every lost connection."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass

from samcli.errors import ResultsError
from samcli.launch.cell import Cell
from samcli.launch.observer import Observer
from samcli.runs.folder import RunFolder

SECONDS_BETWEEN_LOOKS = 1.0


@dataclass
class _Seen:
    """What was seen of a run's table."""

    cell: Cell
    epochs: int
    sign: tuple[int, int, int] | None = None


class Follower:
    """Tells the observer of new rows in the tables of runs that train elsewhere.

    Args:
        observer: is told of each row once.
    """

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._seen: dict[RunFolder, _Seen] = {}
        self._looked = 0.0

    def begin(self, cell: Cell) -> None:
        """Follow a run from the epochs that it has."""
        self._seen[cell.folder] = _Seen(cell, cell.epochs_done)

    def end(self, cell: Cell) -> None:
        """Tell of the last rows of a run, and follow it no longer."""
        self._look_at(self._seen.pop(cell.folder))

    def look(self) -> None:
        """Tell of what is new, if the last look was a second ago."""
        if time.monotonic() - self._looked < SECONDS_BETWEEN_LOOKS:
            return
        for seen in self._seen.values():
            self._look_at(seen)
        self._looked = time.monotonic()

    def _look_at(self, seen: _Seen) -> None:
        sign = _sign(seen.cell.folder)
        if sign is None or sign == seen.sign:
            return
        with suppress(ResultsError):  # taken away for the moment
            for row in seen.cell.folder.read_metrics():
                if int(row["epoch"] or 0) > seen.epochs:
                    seen.epochs = int(row["epoch"] or 0)
                    self._observer.epoch_done(seen.cell, row)
            seen.sign = sign


def _sign(folder: RunFolder) -> tuple[int, int, int] | None:
    """What changes when a run's table is replaced."""
    try:
        status = os.stat(folder.metrics)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
