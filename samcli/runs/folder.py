"""One run's folder: its files, and how its status and metrics are written and read.

::

    results/<experiment>/<run>/
        config.yaml      the fully resolved configuration
        run.json         status, seed, provenance, times, error if any
        metrics.csv      one row per epoch
        checkpoint.pt    model, optimizer, random state, epoch
        best.pt          the same of the best epoch, with keep: best
        confusion.csv    which classes of the test part were taken for which, see `samcli.runs.confusion`
        stages.csv       how each training ended that the run is made of, see `samcli.runs.stages_file`
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import yaml

from samcli.runs.documents import ConfigDocument, StatusDocument, fault_of
from samcli.runs.door import read_json, read_text, read_yaml, unreadable
from samcli.runs.files import write_atomic
from samcli.runs.rows import EpochMetrics, Value, from_csv, to_csv
from samcli.runs.table import values_of

if TYPE_CHECKING:
    from samcli.runs.table import Values

T = TypeVar("T")

CHECKPOINTS = ("checkpoint.pt", "best.pt")  # of a run, in its folder


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

    @property
    def best(self) -> Path:
        """The checkpoint of the epoch with the best validation score, where a run keeps that."""
        return self.path / "best.pt"

    @property
    def next_best(self) -> Path:
        """What is to be `best` as soon as the checkpoint of its epoch is written."""
        return self.path / "best.next.pt"

    def read_config(self) -> dict[str, Any]:
        """The content of `config.yaml`, see `samcli.runs.documents.ConfigDocument`.

        Raises:
            ResultsError: it is missing, or not the configuration of a run.
        """
        config = read_yaml(self.config)
        if fault := fault_of(config, ConfigDocument):
            raise unreadable(self.config, fault)
        return config

    def write_config(self, document: Mapping[str, Any]) -> None:
        """Replace `config.yaml`."""
        write_atomic(self.config, yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True))

    def read_status(self) -> dict[str, Any]:
        """The content of `run.json`, see `samcli.runs.documents.StatusDocument`.

        Raises:
            ResultsError: it is missing, or not the status of a run.
        """
        status = read_json(self.run)
        if fault := fault_of(status, StatusDocument):
            raise unreadable(self.run, fault)
        return status

    def write_status(self, status: Mapping[str, Any]) -> None:
        """Replace `run.json`."""
        text = json.dumps(status, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        # of a path that is not UTF-8 the escapes that JSON has for it
        write_atomic(self.run, text.encode("utf-8", "backslashreplace"))

    def read_metrics(self) -> list[EpochMetrics]:
        """The rows of `metrics.csv`, see `read_table`.

        Raises:
            ResultsError: as for `read_table`.
        """
        return self.read_table()[1]

    def read_table(self, digest: str | None = None) -> tuple[list[str], list[EpochMetrics]]:
        """The column names and the rows of `metrics.csv`; the names say what a file without rows would hold.

        Args:
            digest: that the file must have, see `metrics_digest`; None if it may have any.

        Raises:
            ResultsError: the file is missing, has another digest, or is not what a run recorded, see
                `samcli.runs.rows.from_csv`.
        """
        return self._metrics(digest, from_csv)

    def read_values(self, digest: str | None = None) -> tuple[list[str], Values]:
        """The column names and the values of `metrics.csv`, see `samcli.runs.table.values_of`.

        Args:
            digest: as for `read_table`.

        Raises:
            ResultsError: as for `read_table`.
        """
        return self._metrics(digest, values_of)

    def _metrics(self, digest: str | None, parse: Callable[[str], T]) -> T:
        text = read_text(self.metrics)
        if digest is not None and _digest(text) != digest:
            raise unreadable(self.metrics, "is not the table that the run ended with, by its digest")
        try:
            return parse(text)
        except ValueError as error:
            raise unreadable(self.metrics, str(error)) from None

    def metrics_digest(self) -> str:
        """The SHA-256 of `metrics.csv`, whichever line ends it has.

        Raises:
            ResultsError: it is missing, or no text.
        """
        return _digest(read_text(self.metrics))

    def write_metrics(self, rows: Sequence[Mapping[str, Value]]) -> None:
        """Replace `metrics.csv` by these rows, see `samcli.runs.rows.to_csv`."""
        write_atomic(self.metrics, to_csv(rows))


def find_checkpoints(paths: list[Path]) -> list[Path]:
    """The checkpoints that the paths stand for: a file for itself, a folder for those of the runs in it.

    Hidden folders below it are passed over, such as `.replaced` of an experiment.

    >>> find_checkpoints([Path("loose.pt")])
    [PosixPath('loose.pt')]
    """
    found: list[Path] = []
    for path in paths:
        below = sorted(file for pattern in ("", "*/", "*/*/") for file in path.glob(f"{pattern}checkpoint.pt"))
        found += [file for file in below if not _is_hidden(file.relative_to(path))] or [path]
    return list(dict.fromkeys(found))


def _digest(text: str) -> str:
    return hashlib.sha256(text.replace("\r\n", "\n").encode()).hexdigest()


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
