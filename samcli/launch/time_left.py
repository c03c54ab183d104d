"""The time that is left of a grid under way, from the epochs seen so far and what kind of run each is."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from statistics import fmean, median

from samcli.launch.cell import Cell
from samcli.launch.estimate import kind_of, side_by_side
from samcli.runs import EpochMetrics
from samcli.runs.folder import RunFolder

REMEMBERED = 50  # epochs of a kind


class TimeLeft:
    """What each run, and all of them side by side, still take.

    A run of a kind that was not seen yet counts as the mean of the kinds that were. What a run takes before its first
    epoch, such as reading its data and training its stages, counts for the runs of its kind that are still to begin; a
    run that is continued has its stages behind it, and tells what others of these take.

    >>> TimeLeft([], jobs=2).whole() is None
    True

    Args:
        cells: the plan, in the order in which runs begin.
        jobs: how many train at once.
        clock: tells the seconds.
    """

    def __init__(self, cells: Sequence[Cell], jobs: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._jobs, self._clock = jobs, clock
        self._left = {cell.folder: cell.epochs_left for cell in cells}
        self._kinds = {cell.folder: kind_of(cell.config.document()) for cell in cells if cell.epochs_left}
        self._begun: dict[RunFolder, float] = {}  # when the last epoch of a run ended, if it is not its first
        self._running: dict[RunFolder, float] = {}  # since when
        self._anew = {cell.folder: not cell.epochs_done for cell in cells}
        self._before: dict[tuple[str, bool], deque[float]] = defaultdict(lambda: deque(maxlen=REMEMBERED))
        self._seen: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=REMEMBERED))

    def started(self, cell: Cell) -> None:
        """A run begins, or continues."""
        self._left[cell.folder] = cell.epochs_left
        self._kinds.setdefault(cell.folder, kind_of(cell.config.document()))
        self._anew[cell.folder] = not cell.epochs_done
        self._running[cell.folder] = self._clock()

    def epoch_done(self, cell: Cell, row: EpochMetrics) -> None:
        """An epoch is over: it took what its row says, and what else was done since the one before."""
        now, folder = self._clock(), cell.folder
        measured = sum(float(row.get(f"{part}_seconds") or 0.0) for part in ("train", "eval", "sharpness"))
        since = self._begun.get(folder)  # before its first epoch a run reads its data
        if since is None and folder in self._running:
            self._before[self._kinds[folder], self._anew[folder]].append(
                max(now - self._running[folder] - measured, 0.0)
            )
        self._seen[self._kinds[folder]].append(measured if since is None else max(measured, now - since))
        self._begun[folder] = now
        self._left[folder] = max(self._left[folder] - 1, 0)

    def ended(self, cell: Cell) -> None:
        """A run is over, however."""
        self._left.pop(cell.folder, None)
        self._running.pop(cell.folder, None)
        self._begun.pop(cell.folder, None)

    def of(self, cell: Cell) -> float | None:
        """The seconds that a run still takes; None as long as nothing tells."""
        return self._seconds(cell.folder, self._of_epochs())

    def whole(self) -> float | None:
        """The seconds that all runs still take side by side; None as long as nothing tells."""
        each = self._of_epochs()
        if not each:
            return None
        waiting = [folder for folder in self._left if folder not in self._running]
        return side_by_side([self._seconds(folder, each) or 0.0 for folder in (*self._running, *waiting)], self._jobs)

    def _of_epochs(self) -> dict[str, float]:
        return {kind: median(seconds) for kind, seconds in self._seen.items()}

    def _seconds(self, folder: RunFolder, each: dict[str, float]) -> float | None:
        left = self._left.get(folder, 0)
        if not each or not left:
            return 0.0 if each else None
        return left * each.get(self._kinds[folder], fmean(each.values())) + self._until_begun(folder)

    def _until_begun(self, folder: RunFolder) -> float:
        """What a run still takes before its first epoch, by what others of its kind took."""
        if folder in self._begun or not (told := self._before.get((self._kinds[folder], self._anew[folder]))):
            return 0.0
        spent = self._clock() - self._running[folder] if folder in self._running else 0.0
        return max(median(told) - spent, 0.0)
