"""The file of measured sharpness that lies beside a checkpoint."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import samcli
from samcli.errors import ResultsError
from samcli.runs.documents import MeasurementDocument, fault_of
from samcli.runs.door import opened, read_json
from samcli.runs.files import write_atomic

NAME = "sharpness.json"


class SharpnessFile:
    """The file `sharpness.json`; one written for another checkpoint or by another version counts as none.

    Beside a checkpoint that is not called `checkpoint.pt`, it is called like that: `NAME.sharpness.json`.

    An entry has a `label`, a `key` that says what was measured and how, and the fields of the result: `value` (null for
    what is no finite number), `stderr`, `converged`, `details`.

    Args:
        checkpoint: the file that was measured, or is to be.

    Attributes:
        entries: the measurements, in the order in which they were made.
        epoch: the epoch of the checkpoint; None while there are no entries.
        unwritten: why the file could not be written, in a sentence; None if it could.

    >>> import tempfile
    >>> key = {"measure": "trace", "examples": 100}
    >>> details = {"examples": 100, "batch_norm": "evaluation"}
    >>> entry = {"label": "trace", "key": key, "value": 9.5, "stderr": 0.1, "converged": True, "details": details}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = SharpnessFile(Path(folder, "checkpoint.pt"))
    ...     file.add([entry], epoch=3)
    ...     SharpnessFile(Path(folder, "checkpoint.pt")).find(key)["value"]
    9.5
    """

    def __init__(self, checkpoint: Path) -> None:
        own = "" if checkpoint.name == "checkpoint.pt" else f"{checkpoint.stem}."
        self._file = checkpoint.with_name(own + NAME)
        self._state = {"samcli": samcli.__version__, "checkpoint": _digest(checkpoint)}
        content = _read(self._file)
        same = all(content.get(key) == value for key, value in self._state.items())
        self.entries: list[dict[str, Any]] = _sound_entries(content.get("measured")) if same else []
        epoch = content.get("epoch") if self.entries else None
        self.unwritten: str | None = None
        self.epoch: int | None = epoch if type(epoch) is int and epoch >= 0 else None

    def find(self, key: Mapping[str, Any]) -> dict[str, Any] | None:
        """The entry of this key; None if it was not measured."""
        wanted = _plain(key)
        return next((entry for entry in self.entries if entry["key"] == wanted), None)

    def add(self, entries: Sequence[Mapping[str, Any]], epoch: int) -> None:
        """Append entries, and write the file; where it cannot be written, they last as long as this object."""
        self.epoch = epoch
        self.entries += [_plain(entry) for entry in entries]
        if entries:
            document = {**self._state, "epoch": epoch, "measured": self.entries}
            try:
                write_atomic(self._file, json.dumps(document, indent=1) + "\n")
            except ResultsError as error:  # a folder that one may only read is no reason to show nothing
                self.unwritten = str(error).partition(". ")[0] + "."


def _digest(file: Path) -> str | None:
    try:
        with opened(file) as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError:  # whoever wants its content says so
        return None


def _read(file: Path) -> dict[str, Any]:
    try:
        return read_json(file)
    except ResultsError:  # none yet, or damaged: it is measured anew
        return {}


def _sound_entries(entries: object) -> list[dict[str, Any]]:
    """The entries that are what samcli writes; what another one was of is measured anew."""
    dictionaries = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return [entry for entry in dictionaries if fault_of(entry, MeasurementDocument) is None]


def _plain(value: Any) -> Any:
    """The value as it comes back from the file: JSON knows neither tuples nor numbers that are not finite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None if math.isnan(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
