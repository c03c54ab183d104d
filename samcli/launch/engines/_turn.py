"""The turn of a run: whether it is still to be trained when it is due."""

from __future__ import annotations

from samcli.launch.cell import Cell
from samcli.launch.observer import Observer
from samcli.launch.plan import look_again


def at_its_turn(planned: Cell, observer: Observer) -> Cell:
    """The cell as it is by now; the observer is told if another process has it, or had it, in the meantime."""
    if not planned.to_do:
        return planned
    cell = look_again(planned)
    if not cell.to_do:
        words = cell.detail if cell.state == "busy" else f"was trained by another process: {cell.state}."
        observer.noticed(cell, f"{cell.folder.path.name} {words}")
    return cell
