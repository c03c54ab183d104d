"""What is known of a format besides how it is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from samcli.export._entry import Entry

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Format:
    """A format that runs are exported in.

    Attributes:
        output: the name of its folder or file, unless the user gives another.
        packages: the modules that it needs besides those of samcli.
        look: what shows an output or reads it, to be typed as it is.
        write: writes runs to a place, tells how many are done, and returns sentences on what it could not hold.
    """

    output: str
    packages: tuple[str, ...]
    look: Callable[[str], str]
    write: Callable[[Sequence[Entry], Path, Progress], list[str]]
