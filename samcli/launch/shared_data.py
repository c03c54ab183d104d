"""The data of the runs of a grid, each set loaded once for all processes."""

from __future__ import annotations

import dataclasses
import pickle
from pathlib import Path

from samcli.config import RunConfig
from samcli.data import DatasetKind, SharedSource, contents, forget_sources, plain_kind, raw_source
from samcli.errors import SamcliError
from samcli.train import CATALOGUE


class SharedData:
    """Data sets in memory that the processes of all runs share.

    >>> from samcli.config import Draft, parse
    >>> (run,) = Draft.of(parse("{dataset: wine, optimizer: sgd}", "x.yaml"), CATALOGUE).expand()
    >>> data = SharedData(Path("data"))
    >>> data.of(run) is data.of(run)
    True
    >>> data.close()

    Args:
        data_dir: where data sets lie.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._sets: dict[DatasetKind, SharedSource | None] = {}

    def of(self, config: RunConfig) -> SharedSource | None:
        """The data set of a run; None where its process has to load it, and tells what is wrong with it."""
        kind = plain_kind(CATALOGUE.create("dataset", config.dataset))
        if kind not in self._sets:
            self._sets[kind] = self._load(kind)
        return self._sets[kind]

    def close(self) -> None:
        """Give the memory back as far as no process has it."""
        for shared in self._sets.values():
            if shared is not None:
                shared.close()
        self._sets.clear()

    def _load(self, kind: DatasetKind) -> SharedSource | None:
        try:
            # a digest of all bytes is computed once too
            digest = contents(kind, self._data_dir).digest
            shared = SharedSource(dataclasses.replace(raw_source(kind, self._data_dir), digest=digest))
        except (SamcliError, OSError, MemoryError, RuntimeError, pickle.PicklingError, AttributeError, TypeError):
            return None
        forget_sources()  # the shared one is enough
        return shared
