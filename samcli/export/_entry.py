"""A run as every tracker is told of it: names that are safe, values that were measured, facts beside them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from samcli.escape import visible
from samcli.runs.frame import Scalar, settings_of, written
from samcli.runs.reader import Run

_MOST_BYTES = 120  # of a name: file systems take 255, and some formats add to it


class Epoch(NamedTuple):
    """What was measured of an epoch.

    Attributes:
        number: from 1.
        moment: when it ended, in seconds since 1970, by the times that the run recorded.
        values: by column.
    """

    number: int
    moment: float
    values: dict[str, float]


@dataclass(frozen=True)
class Entry:
    """A run with the names that it has in an export.

    Attributes:
        run: as it was read.
        experiment, name: made of the names of the experiment and of the run's folder; the pair is no other run's.
    """

    run: Run
    experiment: str
    name: str

    @property
    def facts(self) -> dict[str, str]:
        """What is told of a run besides settings and metrics: its state, its identity, which samcli wrote it."""
        status = self.run.status
        told = {
            "state": self.run.state,
            "identity": status.get("identity"),
            "version": (status.get("versions") or {}).get("samcli"),
            "folder": written(str(self.run.folder)),
            "started": status.get("started"),
            "error": status.get("error"),
        }
        return {name: visible(str(value), keep="\n") for name, value in told.items() if value}

    @property
    def settings(self) -> dict[str, Scalar]:
        """Its settings by safe names, those that are null left out, and texts with what does not show written out."""
        found = {name: value for name, value in settings_of(self.run.config).items() if value is not None}
        names = safe_names(found)
        shown = {name: visible(value) if isinstance(value, str) else value for name, value in found.items()}
        return {"seed": self.run.seed} | {names[name]: value for name, value in shown.items()}

    @property
    def started(self) -> float:
        """When it began, in seconds since 1970; 0 where that is not known."""
        return _seconds(self.run.status.get("started")) or 0.0

    @property
    def ended(self) -> float | None:
        """When it ended, in seconds since 1970; None where that is not known."""
        return _seconds(self.run.status.get("ended"))

    def epochs(self) -> Iterator[Epoch]:
        """Its epochs with what was measured in each, by safe names of the columns."""
        names = safe_names(self.run.columns)
        clocks = [name for name in self.run.columns if name in ("train_seconds", "eval_seconds", "sharpness_seconds")]
        moment = self.started
        for number, row in enumerate(self.run.table.tolist(), 1):
            known = {name: value for name, value in zip(self.run.columns, row, strict=True) if not math.isnan(value)}
            moment += sum(known.get(clock, 0.0) for clock in clocks)
            yield Epoch(number, moment, {names[name]: value for name, value in known.items() if name != "epoch"})

    def record(self) -> dict[str, Any]:
        """The run in plain values."""
        return {
            "experiment": self.experiment,
            "run": self.name,
            "folder": written(str(self.run.folder)),
            "status": self.run.state,
            "seed": self.run.seed,
            "epochs": len(self.run.table),
        }


def entries_of(runs: Sequence[Run]) -> list[Entry]:
    """The runs with their names, in their order.

    >>> entries_of([])
    []
    """
    taken: set[str] = set()
    names = [_free(f"{safe(run.experiment)}/{safe(written(run.folder.name))}", taken) for run in runs]
    return [Entry(run, *name.split("/")) for run, name in zip(runs, names, strict=True)]


def safe(name: str) -> str:
    r"""The name with letters, digits and `-_.=+` alone: a part of a path anywhere, and no markup.

    >>> safe("../a b\x1b[31m"), safe("digits-cnn-sam-rho0.05-seed0"), safe("ρ=0.1"), safe("/")
    ('a-b-31m', 'digits-cnn-sam-rho0.05-seed0', 'ρ=0.1', 'unnamed')
    """
    plain = re.sub(r"[^\w.=+-]+", "-", name).strip("-.")
    return plain.encode()[:_MOST_BYTES].decode(errors="ignore") or "unnamed"


def safe_names(names: Iterable[str]) -> dict[str, str]:
    """A name for each that every tracker takes for a metric or a setting, of which no two are equal.

    >>> safe_names(["test_loss", "a/b", "a=b"])
    {'test_loss': 'test_loss', 'a/b': 'a-b', 'a=b': 'a-b-2'}
    """
    taken: set[str] = set()
    return {name: _free(safe(re.sub("[=+]", "-", name)), taken) for name in names}


def _free(name: str, taken: set[str]) -> str:
    """The name, or with a number behind it if it is taken; some file systems know no capital letters."""
    number, free = 2, name
    while free.casefold() in taken:
        number, free = number + 1, f"{name}-{number}"
    taken.add(free.casefold())
    return free


def _seconds(moment: object) -> float | None:
    """A moment as `run.json` has it, in seconds since 1970; None if it is none."""
    try:
        found = datetime.fromisoformat(str(moment))
    except ValueError:
        return None
    return max((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp(), 0.0)
