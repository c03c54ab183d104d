"""Raw data, whatever a run takes of them: read once in a process, and looked at where they are read."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

from samcli.data.base import DatasetKind, Source
from samcli.data.soundness import source_faults
from samcli.errors import DataError


def raw_source(kind: DatasetKind, data_dir: Path) -> Source:
    """The raw data of a data set, whatever its common options are; they stay in memory for the next call.

    Files that have changed since, by their digest, are read again.

    Raises:
        DataError: the data set is missing, unreadable or not sound.

    >>> from samcli.data import DATASETS
    >>> whole, part = (DATASETS.create("wine", train_examples=n) for n in (None, 50))
    >>> raw_source(whole, Path()) is raw_source(part, Path())
    True
    """
    plain = plain_kind(kind)
    if (given := _GIVEN.get((plain, data_dir))) is not None:
        return given
    return _source(plain, data_dir, plain.digest(data_dir))


def plain_kind(kind: DatasetKind) -> DatasetKind:
    """The data set without its common options, which name what a run takes of it: runs that differ in them share it.

    >>> from samcli.data import DATASETS
    >>> plain_kind(DATASETS.create("wine", train_examples=50)) == DATASETS.create("wine")
    True
    """
    whole = dataclasses.replace(kind, classes=(), train_examples=None, examples_from=None, validation=0.0)
    return dataclasses.replace(
        whole, label_noise=0.0, label_noise_kind="symmetric", augment=(), rotate=(), rotate_test=()
    )


_GIVEN: dict[tuple[DatasetKind, Path], Source] = {}


def give_source(kind: DatasetKind, data_dir: Path, source: Source) -> None:
    """Have `raw_source` return these data from now on, which another process has read and looked at.

    >>> from samcli.data import DATASETS
    >>> wine = DATASETS.create("wine", split_seed=7)
    >>> source = wine.source(Path())
    >>> give_source(wine, Path("elsewhere"), source)
    >>> raw_source(wine, Path("elsewhere")) is source
    True
    >>> _GIVEN.clear()
    """
    _GIVEN[plain_kind(kind), data_dir] = source


def forget_sources() -> None:
    """Free the raw data that `raw_source` keeps for its next call."""
    _source.cache_clear()


@functools.lru_cache(maxsize=4)
def _source(kind: DatasetKind, data_dir: Path, digest: str | None) -> Source:
    del digest  # files that have changed are read again
    source = kind.source(data_dir)
    if faults := source_faults(source, kind):
        raise DataError(f"{kind.label} cannot be trained on. {' '.join(faults[:3])}")
    return source
