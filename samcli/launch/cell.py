"""One run of a grid."""

from __future__ import annotations

from dataclasses import dataclass

from samcli.config import RunConfig
from samcli.runs.folder import RunFolder


@dataclass(frozen=True)
class Cell:
    """One run of the grid.

    Attributes:
        state: `new`, `resume` (stopped after some epochs), `finished`, `diverged`, or `busy` (another process is
            training it).
        epochs_done: finished epochs so far.
    """

    config: RunConfig
    folder: RunFolder
    state: str
    epochs_done: int

    @property
    def to_do(self) -> bool:
        """Whether training it is left to do."""
        return self.state in ("new", "resume")
