"""The file of measured sharpness that lies beside a checkpoint."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import samcli
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

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = SharpnessFile(Path(folder, "checkpoint.pt"))
    ...     file.add([{"label": "trace", "key": {"measure": "trace"}, "value": 9.5}], epoch=3)
    ...     SharpnessFile(Path(folder, "checkpoint.pt")).find({"measure": "trace"})["value"]
    9.5
    """

    def __init__(self, checkpoint: Path) -> None:
        own = "" if checkpoint.name == "checkpoint.pt" else f"{checkpoint.stem}."
        self._file = checkpoint.with_name(own + NAME)
        self._state = {"samcli": samcli.__version__, "checkpoint": _digest(checkpoint)}
        content = _read(self._file)
        same = all(content.get(key) == value for key, value in self._state.items())
        self.entries: list[dict[str, Any]] = content.get("measured", []) if same else []
        self.epoch: int | None = content.get("epoch") if same else None

    def find(self, key: Mapping[str, Any]) -> dict[str, Any] | None:
        """The entry of this key; None if it was not measured."""
        wanted = _plain(key)
        return next((entry for entry in self.entries if entry["key"] == wanted), None)

    def add(self, entries: Sequence[Mapping[str, Any]], epoch: int) -> None:
        """Append entries, and write the file.

        Raises:
            ResultsError: it cannot be written.
        """
        self.epoch = epoch
        self.entries += [_plain(entry) for entry in entries]
        if entries:
            document = {**self._state, "epoch": epoch, "measured": self.entries}
            write_atomic(self._file, json.dumps(document, indent=1) + "\n")


def _digest(file: Path) -> str | None:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # none yet, or damaged: it is measured anew
        return {}
    return content if isinstance(content, dict) else {}


def _plain(value: Any) -> Any:
    """The value as it comes back from the file: JSON knows neither tuples nor numbers that are not finite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None if math.isnan(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
