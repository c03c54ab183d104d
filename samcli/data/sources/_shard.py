"""One shard of a WebDataset: a tar archive whose members of one key, one after the other, are an example."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from samcli.data.sources._folder import SUFFIXES, is_hidden
from samcli.data.sources._stored import Region
from samcli.data.sources._tar import Member, members
from samcli.errors import DataError

CLASS, DOCUMENT, LABEL = "cls", "json", "label"  # the suffixes under which a class lies, and its key in the second
_IMAGES = {suffix[1:] for suffix in SUFFIXES}
_META = re.compile(r"__[^/]*__($|/)")  # what the library keeps for itself
_NUMBER = re.compile(rb"\s*(\d{1,9})\s*")
_LARGEST = {CLASS: 2**8, DOCUMENT: 2**24}  # bytes that are read for a class

_PIECE = 2**24  # bytes that are read of an image at a time
_SHOWN = 30  # letters of what is no class

ClassLabel: TypeAlias = int | str


@dataclass(frozen=True, slots=True)
class Example:
    """An image of a shard.

    Attributes:
        key: the path of its members up to the first dot of the base name.
        image: where it lies.
        label: its class, a number from 0 or a name.
    """

    key: str
    image: Region
    label: ClassLabel


@dataclass(frozen=True)
class Shard:
    """The examples of a shard.

    Attributes:
        path: the archive.
        examples: in their order there.
        labels_in: the suffix of the members that hold the classes, `cls` or `json`; None in one without examples.
        passed_over: how many other members there are, by suffix.
    """

    path: Path
    examples: tuple[Example, ...]
    labels_in: str | None
    passed_over: Counter[str]

    def image_digests(self) -> Iterator[bytes]:
        """The SHA-256 of each image.

        Raises:
            OSError: the shard cannot be read.
        """
        state = self.path.stat()
        digests = _image_digests(self.path, state.st_size, state.st_mtime_ns)
        return (digests[start : start + 32] for start in range(0, len(digests), 32))


def read_shard(path: Path) -> Shard:
    """The examples of a shard; a process that asks again is given what it was given, as long as the file is the same.

    An example is what follows one another and has one key. The class is the number in its member `.cls`, or where it
    has none the entry `label` of its `.json`. Members that begin with a dot, and others that nobody means, are passed
    over without a word, as in folders; members of other suffixes are counted.

    Raises:
        DataError: the archive is not whole, or an image has no class, or not one, or shares its key with another.
        OSError: it cannot be read.
    """
    state = path.stat()
    return _read(path, state.st_size, state.st_mtime_ns)


@functools.lru_cache(maxsize=2**14)
def _read(path: Path, size: int, modified: int) -> Shard:
    del size, modified  # they tell whether it is still the file that was read
    passed_over: Counter[str] = Counter()
    examples, seen = list[Example](), set[str]()
    labels_in: str | None = None
    with path.open("rb", buffering=0) as file:
        for group in _groups(path, passed_over):
            if group.key in seen:
                raise DataError(
                    f"{path} has members of the key {group.key} in two places, and those of one example must follow "
                    "each other; write it anew, with tar --sort=name."
                )
            seen.add(group.key)
            if group.image is None:
                passed_over.update(group.labels.keys())
                continue
            found = CLASS if CLASS in group.labels else DOCUMENT if DOCUMENT in group.labels else None
            if found is None:
                raise DataError(
                    f"{path}: {group.image.name} has no class; write its number as {group.key}.{CLASS}, or as "
                    f'"{LABEL}" in {group.key}.{DOCUMENT}.'
                )
            if found == CLASS and DOCUMENT in group.labels:
                passed_over[DOCUMENT] += 1
            if found != (labels_in := labels_in or found):
                raise DataError(
                    f"{path}: {group.image.name} has its class under .{found} and others have theirs under "
                    f".{labels_in}, which may be numbered in another way; write all under one."
                )
            examples.append(Example(group.key, group.image, _label(path, file.fileno(), found, group.labels[found])))
    return Shard(path, tuple(examples), labels_in, passed_over)


@functools.lru_cache(maxsize=2**14)
def _image_digests(path: Path, size: int, modified: int) -> bytes:
    """The digests of the images of a shard, one behind the other."""
    with path.open("rb", buffering=0) as file:
        return b"".join(_sha256(file.fileno(), one.image) for one in _read(path, size, modified).examples)


def _sha256(descriptor: int, image: Region) -> bytes:
    sha, end = hashlib.sha256(), image.offset + image.size
    for at in range(image.offset, end, _PIECE):
        sha.update(os.pread(descriptor, min(_PIECE, end - at), at))
    return sha.digest()


@dataclass(slots=True)
class _Group:
    """Members of one key.

    Attributes:
        key: theirs.
        image: the one that is an image.
        labels: those that may hold the class, by suffix.
    """

    key: str
    image: Region | None = None
    labels: dict[str, Member] = field(default_factory=dict)


def _groups(path: Path, passed_over: Counter[str]) -> Iterator[_Group]:
    """The members of an archive that follow one another and have one key."""
    group: _Group | None = None
    for member in members(path, passed_over):
        if _is_unwanted(member.name):
            continue
        folder, slash, base = member.name.rpartition("/")
        stem, dot, suffix = base.partition(".")
        if not dot:
            passed_over["no suffix"] += 1
            continue
        key, suffix = f"{folder}{slash}{stem}".removeprefix("./"), suffix.lower()
        if group is None or key != group.key:
            if group is not None:
                yield group
            group = _Group(key)
        if suffix in _IMAGES:
            if group.image is not None:
                raise DataError(
                    f"{path} has two images of the key {key}, {group.image.name} and {member.name}; give each a key "
                    "of its own, with its class."
                )
            group.image = Region(path, member.offset, member.size, member.name)
        elif suffix in _LARGEST:
            if suffix in group.labels:
                raise DataError(f"{path} has {member.name} twice; write it anew with one for each key.")
            group.labels[suffix] = member
        else:
            passed_over[suffix[:12]] += 1
    if group is not None:
        yield group


def _is_unwanted(name: str) -> bool:
    """Whether a member is one that nobody means, by its path.

    >>> [_is_unwanted(name) for name in ("./a.jpg", "../a.jpg", "a/._b.jpg", "__info__/a.json", "__a.jpg")]
    [False, False, True, True, False]
    """
    if name.startswith("__") and _META.match(name):
        return True
    return any(is_hidden(part) for part in name.split("/") if part not in (".", ".."))


def _label(path: Path, descriptor: int, suffix: str, member: Member) -> ClassLabel:
    """The class that a member holds.

    Raises:
        DataError: it holds none.
    """
    where = f"{path}: {member.name}"
    if member.size > _LARGEST[suffix]:
        raise DataError(f"{where} has {member.size:,} bytes, too many for a class; write its number alone.")
    content = os.pread(descriptor, member.size, member.offset)
    if suffix == CLASS:
        if not (found := _NUMBER.fullmatch(content)):
            raise DataError(
                f"{where} holds {_shown(content)} and no class number; write the number from 0 as digits, or a name as "
                f'"{LABEL}" in a .{DOCUMENT}.'
            )
        return int(found[1])
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise DataError(f"{where} is no JSON; write it anew, or the class as a number under .{CLASS}.") from None
    label = document.get(LABEL) if isinstance(document, dict) else None
    if isinstance(label, str) and label.strip() and label.isprintable():
        return label
    if isinstance(label, int) and not isinstance(label, bool) and label >= 0:
        return label
    told = "no" if label is None else f"{label!r:.40} as"
    raise DataError(f'{where} has {told} "{LABEL}"; write a class number from 0 there, or the name of the class.')


def _shown(content: bytes) -> str:
    text = content.decode("utf-8", "backslashreplace").strip()
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
