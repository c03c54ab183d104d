"""One run's folder: its files, and how its status and metrics are written and read.

::

    results/<experiment>/<run>/
        config.yaml      the fully resolved configuration
        run.json         status, seed, provenance, times, error if any
        metrics.csv      one row per epoch
        checkpoint.pt    model, optimizer, random state, epoch
"""

from __future__ import annotations

import csv
import io
import json
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from samcli.errors import ResultsError
from samcli.metrics import NEWER_COLUMNS, SCORES, columns, score_among
from samcli.runs.files import write_atomic

STATUSES = ("finished", "diverged", "failed", "interrupted", "running")

Value = float | int | None
EpochMetrics = dict[str, Value]  # a row of `metrics.csv`: the value of each column


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run. Every write replaces a whole file at once.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     RunFolder(Path(name)).write_metrics([{"epoch": 1, "train_loss": 0.5}])
    ...     RunFolder(Path(name)).read_metrics()[0]["train_loss"]
    0.5
    """

    path: Path

    @property
    def config(self) -> Path:
        """The file of the resolved configuration: `samcli train` on it repeats the run."""
        return self.path / "config.yaml"

    @property
    def run(self) -> Path:
        """The file of the run's status and provenance."""
        return self.path / "run.json"

    @property
    def metrics(self) -> Path:
        """The table with a row for each epoch."""
        return self.path / "metrics.csv"

    @property
    def checkpoint(self) -> Path:
        """The file that an interrupted run resumes from."""
        return self.path / "checkpoint.pt"

    def read_config(self) -> dict[str, Any]:
        """The content of `config.yaml`.

        Raises:
            ResultsError: it is missing, or no YAML mapping.
        """
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's is the same, ten times as fast
        try:
            config = yaml.load(_read(self.config), Loader=loader)
        except yaml.YAMLError:
            config = None
        if not isinstance(config, dict):
            raise unreadable(self.config, "is not a YAML mapping")
        return config

    def read_status(self) -> dict[str, Any]:
        """The content of `run.json`.

        Raises:
            ResultsError: it is missing, or no JSON object.
        """
        try:
            status = json.loads(_read(self.run))
        except json.JSONDecodeError:
            status = None
        if not isinstance(status, dict):
            raise unreadable(self.run, "is not a JSON object")
        return status

    def write_status(self, status: Mapping[str, Any]) -> None:
        """Replace `run.json`."""
        write_atomic(self.run, json.dumps(status, indent=2, ensure_ascii=False, allow_nan=False) + "\n")

    def read_metrics(self) -> list[EpochMetrics]:
        """The rows of `metrics.csv`, equal to those written: whole numbers, floats bit for bit, None where empty.

        Raises:
            ResultsError: the file is missing, lacks a column, has a torn row, or something other than a number.
        """
        return self.read_table()[1]

    def read_table(self) -> tuple[list[str], list[EpochMetrics]]:
        """The column names and the rows of `metrics.csv`; the names say what a file without rows would hold.

        Raises:
            ResultsError: as for `read_metrics`.
        """
        header, *lines = list(csv.reader(io.StringIO(_read(self.metrics)))) or [[]]
        if not any(set(columns(score)) - set(NEWER_COLUMNS) <= set(header) for score in SCORES):
            raise unreadable(self.metrics, "lacks columns that samcli writes")
        try:
            rows = [dict(zip(header, map(_number, line), strict=True)) for line in lines]
        except ValueError:
            raise unreadable(self.metrics, "holds a torn row or something other than a number") from None
        if any(not isinstance(row["epoch"], int) for row in rows):
            raise unreadable(self.metrics, "has a row without its epoch")
        return header, rows

    def write_metrics(self, rows: Sequence[Mapping[str, Value]]) -> None:
        """Replace `metrics.csv` by these rows.

        First come the columns of the score that a row has, see `samcli.metrics.columns`, then those of further
        measures, in the order in which the rows have them. A value that is None, or whose key is left out, becomes an
        empty field: not measured, never zero.
        """
        keys = dict.fromkeys(key for row in rows for key in row)
        names = list(dict.fromkeys([*columns(score_among(keys).name), *keys]))
        text = io.StringIO()
        writer = csv.DictWriter(text, names, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({name: _text(value) for name, value in row.items()})
        write_atomic(self.metrics, text.getvalue())


def is_alive(status: Mapping[str, Any]) -> bool:
    """Whether the process that wrote a status may still be at work; one on another host counts as alive.

    >>> is_alive({"host": socket.gethostname(), "pid": os.getpid()}), is_alive({"host": socket.gethostname()})
    (True, False)
    """
    if status.get("host") != socket.gethostname():
        return True
    pid = status.get("pid")
    if type(pid) is not int or pid <= 0:
        return False
    try:
        os.kill(pid, 0)  # signal 0 only asks whether the process exists
    except ProcessLookupError:
        return False
    except PermissionError:  # it does, and is another user's
        return True
    return True


def unreadable(path: Path, what: str) -> ResultsError:
    """The error for a file of a run that cannot be used; the folder may be someone else's, so nothing is deleted.

    >>> print(unreadable(Path("run.json"), "is missing"))
    run.json is missing; restore it, or move its folder away and train the run again.
    """
    return ResultsError(f"{path} {what}; restore it, or move its folder away and train the run again.")


def find_checkpoints(paths: list[Path]) -> list[Path]:
    """The checkpoints that the paths stand for: a file for itself, a folder for those of the runs in it.

    >>> find_checkpoints([Path("loose.pt")])
    [PosixPath('loose.pt')]
    """
    found: list[Path] = []
    for path in paths:
        inside = sorted(file for pattern in ("", "*/", "*/*/") for file in path.glob(f"{pattern}checkpoint.pt"))
        found += inside or [path]
    return list(dict.fromkeys(found))


def _text(value: Value) -> str:
    if value is None:
        return ""
    # float(): the repr of numpy's own floats names their type; repr is the shortest text that reads back bit for bit
    return str(int(value)) if isinstance(value, int) else repr(float(value))


def _number(text: str) -> Value:
    if not text:
        return None
    return int(text) if text.lstrip("-").isdecimal() else float(text)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise unreadable(path, "is missing") from None
    except UnicodeDecodeError:
        raise unreadable(path, "is not text") from None
    except OSError as error:
        raise unreadable(path, f"cannot be read: {cast(str, error.strerror)}") from None
