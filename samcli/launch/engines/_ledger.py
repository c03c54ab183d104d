"""The ledger of an engine: whose turn it is, how each run ended, and whether too many have failed."""

from __future__ import annotations

from collections.abc import Mapping

from samcli.launch.cell import Cell
from samcli.launch.observer import Observer
from samcli.launch.plan import look_again
from samcli.launch.terms import Terms


class Ledger:
    """What an engine knows of the runs of a plan; the observer is told of every change.

    Args:
        terms: those of the command.
        observer: is told of progress.
    """

    def __init__(self, terms: Terms, observer: Observer) -> None:
        self._terms, self._observer = terms, observer
        self._outcome: dict[str, str] = {}
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

    def turn(self, planned: Cell) -> Cell | None:
        """The cell in its present state, if it is still to be trained.

        The observer is told if another process has it, or had it, in the meantime.
        """
        cell = look_again(planned) if planned.to_do else planned
        self._outcome[cell.folder.path.name] = cell.state
        if not planned.to_do or cell.to_do:
            return cell if cell.to_do else None
        words = cell.detail if cell.state == "busy" else f"was trained by another process: {cell.state}."
        self._observer.noticed(cell, f"{cell.folder.path.name} {words}")
        return None

    def begin(self, cell: Cell) -> None:
        """A run begins or continues."""
        self._observer.started(cell)

    def end(self, cell: Cell, status: str, message: str) -> None:
        """A run is over, see `Observer.ended`."""
        self._outcome[cell.folder.path.name] = status
        self._failures += status == "failed"
        self._observer.ended(cell, status, message)
