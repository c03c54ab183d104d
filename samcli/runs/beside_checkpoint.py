"""A file of what was found out about a checkpoint, which lies beside it."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import samcli
from samcli.errors import ResultsError
from samcli.runs.documents import Document, fault_of
from samcli.runs.door import opened, read_json
from samcli.runs.files import write_atomic


class BesideCheckpoint:
    """A file beside a checkpoint; one written for another checkpoint or by another version counts as none.

    Beside a checkpoint that is not called `checkpoint.pt`, it is called like that: `NAME.sharpness.json`.

    An entry has a `key` that says what was found out and how, and fields of its kind.

    Args:
        checkpoint: the file that it is about.

    Attributes:
        name: of the file.
        noun: the key of the document under which the entries are.
        kind: what an entry must hold.
        entries: in the order in which they were made.
        epoch: the epoch of the checkpoint; None while there are no entries.
        unwritten: why the file could not be written, in a sentence; None if it could.
    """

    name: ClassVar[str]
    noun: ClassVar[str]
    kind: ClassVar[type[Document]]

    def __init__(self, checkpoint: Path) -> None:
        own = "" if checkpoint.name == "checkpoint.pt" else f"{checkpoint.stem}."
        self._file = checkpoint.with_name(own + self.name)
        # looked at before anything is found out: what is added is about this content, whatever the file holds by then
        self._state = {"samcli": samcli.__version__, "checkpoint": _digest(checkpoint)}
        content = _read(self._file)
        same = all(content.get(key) == value for key, value in self._state.items())
        self.entries: list[dict[str, Any]] = self._sound_entries(content.get(self.noun)) if same else []
        epoch = content.get("epoch") if self.entries else None
        self.unwritten: str | None = None
        self.epoch: int | None = epoch if type(epoch) is int and epoch >= 0 else None

    def find(self, key: Mapping[str, Any]) -> dict[str, Any] | None:
        """The entry of this key; None if there is none."""
        wanted = _plain(key)
        return next((entry for entry in self.entries if entry["key"] == wanted), None)

    def add(self, entries: Sequence[Mapping[str, Any]], epoch: int) -> None:
        """Append entries, those with the key of an old one in its place, and write the file.

        Where it cannot be written, they last as long as this object.
        """
        self.epoch = epoch
        added = [_plain(entry) for entry in entries]
        keys = [entry["key"] for entry in added]
        self.entries = [entry for entry in self.entries if entry["key"] not in keys] + added
        if entries:
            document = {**self._state, "epoch": epoch, self.noun: self.entries}
            try:
                write_atomic(self._file, json.dumps(document, indent=1) + "\n")
            except ResultsError as error:  # a folder that one may only read is no reason to show nothing
                self.unwritten = str(error).partition(". ")[0] + "."

    def _sound_entries(self, entries: object) -> list[dict[str, Any]]:
        """The entries that are what samcli writes; what another one was of is found out anew."""
        dictionaries = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
        return [entry for entry in dictionaries if fault_of(entry, self.kind) is None]


def _digest(file: Path) -> str | None:
    try:
        with opened(file) as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError:  # whoever wants its content says so
        return None


def _read(file: Path) -> dict[str, Any]:
    try:
        return read_json(file)
    except ResultsError:  # none yet, or damaged: all is found out anew
        return {}


def _plain(value: Any) -> Any:
    """The value as it comes back from the file: JSON knows neither tuples nor numbers that are not finite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None if math.isnan(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
