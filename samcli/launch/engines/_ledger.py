"""The ledger of an engine: which run is next, how each one ended, and whether too many have failed."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence

from samcli.errors import RunBusy
from samcli.launch.cell import Cell, cleared
from samcli.launch.observer import Observer
from samcli.launch.plan import look_again
from samcli.launch.terms import Terms
from samcli.runs.owner import Watch
from samcli.words import count

SECONDS_BETWEEN_LOOKS = 1.0  # at the runs that other processes have


class Ledger:
    """What an engine knows of the runs of a plan; the observer is told of every change.

    Two commands may have the same plan: each takes what is free when its turn comes, and in the end waits for what the
    other one has. If that is left undone, by an end of whatever kind, it is taken over.

    Args:
        cells: the plan.
        terms: those of the command.
        observer: is told of progress.
    """

    def __init__(self, cells: Sequence[Cell], terms: Terms, observer: Observer) -> None:
        self._planned = deque(cells)
        self._others: deque[Cell] = deque()  # runs that other processes have
        self._terms, self._observer = terms, observer
        self._watch = Watch()
        self._looked = -SECONDS_BETWEEN_LOOKS
        self._outcome = {cell.folder.path.name: cell.state for cell in cells}
        self._failures = 0

    @property
    def outcome(self) -> Mapping[str, str]:
        """The status of every cell so far by the name of its folder."""
        return self._outcome

    @property
    def gives_up(self) -> bool:
        """Whether so many runs have failed that no other is to begin."""
        most = self._terms.most_failures
        return most is not None and self._failures >= most

    @property
    def finished(self) -> bool:
        """Whether no run is left to begin or to wait for."""
        return self.gives_up or not (self._planned or self._others)

    def next(self) -> Cell | None:
        """The next run that can begin now; None if there is none, or another process has each of those left."""
        while self._planned and not self.gives_up:
            planned = self._planned.popleft()
            if not (planned.to_do or planned.state == "busy"):
                continue
            if (cell := self.still_to_do(planned)) is not None:
                return cell
        return None if self.gives_up else self._next_of_others()

    def still_to_do(self, planned: Cell) -> Cell | None:
        """The cell as it is by now; None if nothing is left to do, or another process has it."""
        cell = look_again(planned, self._watch)
        if cell.to_do:
            return cell
        self._leave(cell)
        return None

    def cleared(self, cell: Cell) -> Cell | None:
        """The cell with an empty folder if it is `changed`; None if another process was faster, which is waited for."""
        try:
            return cleared(cell)
        except RunBusy as error:
            self._observer.noticed(cell, str(error))
            self._others.append(cell)
            return None

    def begin(self, cell: Cell) -> None:
        """A run begins or continues."""
        self._observer.started(cell)

    def end(self, cell: Cell, status: str, message: str) -> None:
        """A run is over, see `Observer.ended`."""
        self._outcome[cell.folder.path.name] = status
        self._failures += status == "failed"
        self._observer.ended(cell, status, message)
        if status == "busy":  # another process was faster
            self._others.append(cell)

    def tell_closing(self, running: Sequence[Cell], *, asked: bool) -> None:
        """Say that the runs under way stop after their epoch, asked for by the user or because too many failed."""
        if running:
            reason = "" if asked else "Too many runs have failed. "
            more = " One more Ctrl-C stops at once." if asked else ""
            sentence = f"{reason}Finishing the epoch under way of {count(len(running), 'run')}.{more}"
            self._observer.noticed(running[0], sentence)

    def retry(self, cell: Cell, message: str) -> None:
        """The process of a run died: it begins again as soon as its lease is known to be dead."""
        self._outcome[cell.folder.path.name] = "interrupted"
        self._observer.ended(cell, "interrupted", message)
        self._others.append(cell)

    def _next_of_others(self) -> Cell | None:
        """The first run that another process had and left undone."""
        now = time.monotonic()
        if now - self._looked < SECONDS_BETWEEN_LOOKS:
            return None
        self._looked = now
        for _ in range(len(self._others)):
            cell = look_again(self._others.popleft(), self._watch)
            if cell.to_do:
                return cell
            if cell.state == "busy":
                self._others.append(cell)
            else:
                self._leave(cell)
        return None

    def _leave(self, cell: Cell) -> None:
        """Leave a run to the process that has it, or had it."""
        name = cell.folder.path.name
        self._outcome[name] = cell.state
        if cell.state != "busy":
            self._observer.noticed(cell, f"{name} was trained by another process: {cell.state}.")
            return
        self._observer.noticed(cell, f"{name} {cell.detail}")
        if cell.may_show:
            self._others.append(cell)
