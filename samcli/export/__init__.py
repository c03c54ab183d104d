"""Runs in the formats of the trackers that people use, one file each; nothing is sent anywhere."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samcli.errors import ConfigError, NothingToCompare, nearest
from samcli.export._entry import Entry, entries_of
from samcli.export._format import Format
from samcli.export._packages import require
from samcli.export.mlflow import MLFLOW
from samcli.export.parquet import PARQUET
from samcli.export.tensorboard import TENSORBOARD
from samcli.export.wandb import WANDB
from samcli.runs.reader import Run
from samcli.words import count

FORMATS: dict[str, Format] = {"tensorboard": TENSORBOARD, "mlflow": MLFLOW, "wandb": WANDB, "parquet": PARQUET}


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        form: the key of `FORMATS`.
        output: the folder or file.
        entries: the runs, by the names that they have there.
        warnings: sentences on what the format could not hold.
        look: what shows it or reads it, to be typed as it is.
    """

    form: str
    output: Path
    entries: tuple[Entry, ...]
    warnings: tuple[str, ...]
    look: str

    def tally(self) -> str:
        """How many runs there are, and in which states.

        >>> Exported("parquet", Path("runs.parquet"), (), (), "").tally()
        '0 runs, 0 epochs'
        """
        states = Counter(entry.run.state for entry in self.entries)
        epochs = count(sum(len(entry.run.table) for entry in self.entries), "epoch")
        told = ", ".join(f"{number} {state}" for state, number in states.most_common())
        return f"{count(len(self.entries), 'run')}, {epochs}{f': {told}' if told else ''}"

    def record(self) -> dict[str, Any]:
        """The same in plain values, as `samcli export --json` has it.

        >>> Exported("parquet", Path("runs.parquet"), (), (), "").record()["output"]
        'runs.parquet'
        """
        return {
            "format": self.form,
            "output": str(self.output),
            "runs": [entry.record() for entry in self.entries],
            "warnings": list(self.warnings),
            "look": self.look,
        }


def export(
    runs: Sequence[Run], form: str, output: Path | None = None, progress: Callable[[int], None] = lambda done: None
) -> Exported:
    """Write runs in the format of a tracker. Their own folders are read and never written to.

    Every run is written, finished or not, with its state. A value that was not measured is left out. The folder or file
    gets its name when it is complete, and replaces one of that name only if that is such an export too.

    Args:
        runs: what to write, see `samcli.runs.scan`.
        form: a key of `FORMATS`.
        output: the folder to write, or for parquet the file; by default `Format.output` in the current folder.
        progress: is told how many runs are written, after each.

    Raises:
        ConfigError: no such format, a package that it needs is missing, or `output` is no such export, or lies in the
            folder of a run.
        NothingToCompare: there are no runs.
        ResultsError: it cannot be written.

    >>> import tempfile
    >>> from samcli.runs import scan
    >>> from samcli.runs.example import write_example
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_example(Path(folder, "results", "digits", "a"))
    ...     written = export(scan([Path(folder)])[0], "parquet", Path(folder, "runs.parquet"))  # doctest: +SKIP
    """
    if form not in FORMATS:
        raise ConfigError(f"There is no format named {form!r}; {nearest(form, FORMATS)}")
    if not runs:
        raise NothingToCompare("There are no runs to export; train some first: samcli train")
    to = FORMATS[form]
    require(form, to.packages)
    output = Path(to.output) if output is None else output
    place = Path(os.path.realpath(output))  # what a symbolic link leads to is written, and the link stays
    for run in runs:
        folder = Path(os.path.realpath(run.folder))
        if place == folder or folder in place.parents:
            raise ConfigError(f"{output} lies in the folder of a run, which is only read; name another place with -o.")
    entries = entries_of(runs)
    warnings = to.write(entries, place, progress)
    return Exported(form, output, tuple(entries), tuple(warnings), to.look(str(output)))
