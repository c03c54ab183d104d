"""What a data set holds: a line for people, and a digest that tells whether it is still the same."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from samcli.data.base import DatasetKind, Source
from samcli.data.classes import of_classes
from samcli.data.raw import raw_source
from samcli.data.soundness import class_name, source_notes
from samcli.errors import DataError
from samcli.words import count

FEW = 10  # a class with fewer examples than these is named


@dataclass(frozen=True)
class Contents:
    """What a data set holds, whatever a run takes of it: of the options that all data sets have `classes` alone enters.

    Attributes:
        examples: of all parts together.
        test_examples: of the test part.
        classes: how many; None for a regression.
        largest_test_class: how many examples of the test part are of its most frequent class; None for a regression.
        digest: see `digest`; that of the data with all of their classes, as they were when they were read.
        clauses: how much it holds, and each thing that was done to it or left out.
        guessed: what a user may have meant otherwise, see `Source`.
    """

    examples: int
    test_examples: int
    classes: int | None
    largest_test_class: int | None
    digest: str
    clauses: tuple[str, ...]
    guessed: str

    @property
    def summary(self) -> str:
        """All of it in a line."""
        return ", ".join(self.clauses)


def contents(kind: DatasetKind, data_dir: Path) -> Contents:
    """What a data set holds; it is read for that, or downloaded, unless this process has read it before.

    Raises:
        DataError: it is missing, unreadable or not sound.

    >>> from samcli.data import DATASETS
    >>> found = contents(DATASETS.create("wine", train_examples=50), Path("data"))
    >>> found.summary, found.test_examples
    ('wine: 178 examples, 3 classes, 13 columns', 36)
    """
    whole = raw_source(kind, data_dir)
    source = of_classes(whole, kind.classes)
    examples = sum(len(targets) for _, _, targets in source.parts())
    return Contents(
        examples=examples,
        test_examples=len(source.test_targets),
        classes=source.task.classes,
        largest_test_class=None if source.task.classes is None else int(source.test_targets.bincount().max()),
        digest=whole.digest or _digest_of(whole),
        clauses=(f"{kind.label}: {', '.join(_sizes_of(source, kind.is_images))}", *_notes_of(source)),
        guessed=source.guessed,
    )


def digest(kind: DatasetKind, data_dir: Path) -> str:
    """A digest of the raw data, 64 hexadecimal digits, the same as long as they are the same.

    For a folder of images it is that of the names and bytes of the image files, and for shards that of keys, classes
    and bytes of the images, none of which is decoded; for all others that of the tensors. Nothing is downloaded for it.

    Raises:
        DataError: the data are not there, unreadable or not sound.

    >>> from samcli.data import DATASETS
    >>> wine, half, other = (DATASETS.create("wine", **o) for o in ({}, {"validation": 0.5}, {"split_seed": 1}))
    >>> digest(wine, Path("data")) == digest(half, Path("data"))  # a part of the same data
    True
    >>> digest(wine, Path("data")) == digest(other, Path("data"))
    False
    """
    if not kind.is_at_hand(data_dir):
        raise DataError(f"{kind.label} is not in {data_dir}; pass --data-dir DIR with the folder that has it.")
    return kind.digest(data_dir) or _digest_of(raw_source(kind, data_dir))


@functools.lru_cache(maxsize=4)
def _digest_of(source: Source) -> str:
    """The SHA-256 of tensors and names; sources are equal only if they are one."""
    sha = hashlib.sha256(repr((type(source.task).__name__, source.task.classes, source.class_names)).encode())
    for _, *tensors in source.parts():
        for tensor in tensors:
            sha.update(f"{tensor.dtype} {tuple(tensor.shape)} ".encode())
            sha.update(tensor.contiguous().numpy().data)
    if source.categories or source.vocabulary:
        sha.update(repr((source.categories, source.vocabulary)).encode())
    return sha.hexdigest()


@functools.lru_cache(maxsize=4)
def _sizes_of(source: Source, is_images: bool) -> tuple[str, ...]:
    return tuple(_sizes(source, is_images))


@functools.lru_cache(maxsize=4)
def _notes_of(source: Source) -> tuple[str, ...]:
    return (*source.notes, *source_notes(source))


def _sizes(source: Source, is_images: bool) -> Iterator[str]:
    examples = sum(len(targets) for _, _, targets in source.parts())
    noun = "images" if is_images else "examples"
    yield f"{examples:,} {'windows' if source.vocabulary and source.task.classes is None else noun}"
    if source.task.classes is not None:
        counts = sum(targets.bincount(minlength=source.task.classes) for _, _, targets in source.parts())
        assert isinstance(counts, Tensor)
        few = [f"{class_name(source, c)}: {n}" for c, n in enumerate(counts.tolist()) if n < FEW]
        named = few[:5] + ([f"{len(few) - 5} more below {FEW}"] if len(few) > 5 else [])
        classes = "1 class" if source.task.classes == 1 else f"{source.task.classes} classes"
        yield classes + (f" ({', '.join(named)})" if named else "")
    if is_images:
        if not any(note.startswith("brought to") for note in source.notes):
            yield "{1}×{0}".format(*source.inputs.shape[1:3])
    elif source.vocabulary:
        most = "up to " if source.task.classes is not None else ""  # texts of classes are padded
        yield f"{most}{source.inputs.shape[1]} of {source.vocabulary:,} tokens in each"
    else:
        yield count(source.inputs.shape[1], "column")
