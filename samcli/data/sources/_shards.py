"""The shards of a WebDataset: which belong to which part, and the examples, classes and digest of all together."""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from samcli.data.sources._folder import SPLITS, files_below, others_told
from samcli.data.sources._own_images import UNDIVIDED
from samcli.data.sources._shard import ClassLabel, Example, Shard, read_shard
from samcli.data.sources._stored import Region
from samcli.errors import DataError

NAMES = "classnames.txt"  # as the data sets of the CLIP benchmark have it: a line for each class, by its number
_WORDS = {word: part for part, words in SPLITS.items() for word in words}
_COMPRESSED = re.compile(r".*\.(tar\.\w+|tgz|tbz2?|txz|tzst)", re.IGNORECASE)
_SUFFIXES = (".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".tzst", ".gz", ".bz2", ".xz", ".zst", ".lz4")


@dataclass(frozen=True)
class Shards:
    """What is in the shards of a folder.

    Attributes:
        parts: for each part its images and their class numbers, (N,) int64: `train`, `test` and `validation` if there
            is one, or `UNDIVIDED`.
        names: of the classes.
        notes: what was passed over, in clauses.
        digest: the SHA-256 of names, keys, classes and images, in their order.
    """

    parts: Mapping[str, tuple[list[Region], Tensor]]
    names: tuple[str, ...]
    notes: tuple[str, ...]
    digest: str


def read_shards(root: Path) -> Shards:
    """The shards of a folder, or one; a process that asks again is given the same as long as no file has changed.

    Args:
        root: the folder, at any depth in which they lie, or the file.

    Raises:
        DataError: there are none, one is not as it should be, or it is not clear of which part or class something is.
    """
    try:
        files, passed_over = _files(root)
        names = root / NAMES
        known = [names] if root.is_dir() and names.is_file() else []
        states = tuple((file, state.st_size, state.st_mtime_ns) for file in [*known, *files] if (state := file.stat()))
        return _read(root, states, bool(known), tuple(passed_over.items()))
    except OSError as error:
        raise DataError(f"{error.filename or root} cannot be read ({error.strerror or error}).") from error


@functools.lru_cache(maxsize=4)
def _read(
    root: Path, states: tuple[tuple[Path, int, int], ...], has_names: bool, passed_over: tuple[tuple[str, int], ...]
) -> Shards:
    files = [file for file, _, _ in states]
    listed = _listed_names(files.pop(0)) if has_names else None
    counted = Counter(dict(passed_over))
    counted["txt"] -= has_names
    parts, notes = _parts(root, files)
    shards = {part: [read_shard(file) for file in found] for part, found in parts.items()}
    every = [shard for found in shards.values() for shard in found]
    for shard in every:
        counted.update(shard.passed_over)
    _check_one_way(every)
    for part, found in shards.items():
        _check_keys(found)
        if not any(shard.examples for shard in found):
            where = root if part == UNDIVIDED else f"The {part} part of {root}"
            raise DataError(
                f"{where} has no images in its shards; an image is a member KEY.jpg, or of another suffix of "
                "images, and KEY ends at the first dot."
            )
    examples = {part: [one for shard in found for one in shard.examples] for part, found in shards.items()}
    labels = Counter(one.label for found in examples.values() for one in found)
    names = _class_names(root, labels, listed)
    numbers: Mapping[ClassLabel, int] = (
        {name: number for number, name in enumerate(names)}
        if isinstance(next(iter(labels)), str)
        else {label: int(label) for label in labels}
    )
    made = {
        part: ([one.image for one in found], torch.tensor([numbers[one.label] for one in found]))
        for part, found in examples.items()
    }
    digest = _digest(shards, made, names)
    return Shards(made, names, (*others_told(+counted), *notes), digest)


def _files(root: Path) -> tuple[list[Path], Counter[str]]:
    """The archives of a folder, sorted, and how many other files there are, by suffix."""
    passed_over: Counter[str] = Counter()
    if root.is_file():
        return [root], passed_over
    if not root.is_dir():
        raise DataError(f"There is no folder or file {root.absolute()}; give the folder of shards as wds:PATH.")
    found = files_below(root, passed_over, _SUFFIXES)
    shards = [file for file in found if file.suffix.lower() == ".tar"]
    for file in found:
        if _COMPRESSED.fullmatch(file.name):
            raise DataError(
                f"{file} is compressed, and only a plain tar can be read from the middle; uncompress it: images are "
                "small already."
            )
        if file.suffix.lower() != ".tar":
            passed_over[file.suffix.lower()[1:]] += 1
    if not shards:
        raise DataError(
            f"{root} has no .tar file; give the folder of shards, or a folder of images as image-folder:PATH."
        )
    return shards, passed_over


def _parts(root: Path, files: Sequence[Path]) -> tuple[dict[str, list[Path]], list[str]]:
    """The shards of each part, and what there is to say of it, in clauses.

    Raises:
        DataError: a part is missing, or it is not clear which is meant.
    """
    if files == [root]:
        return {UNDIVIDED: [root]}, []
    words: dict[str, str] = {}
    found: dict[str, list[Path]] = {}
    others = []
    for file in files:
        word = part_word(file.relative_to(root))
        if word is None:
            others.append(file)
            continue
        part = _WORDS[word]
        if words.setdefault(part, word) != word:
            raise DataError(f"{root} has shards of {words[part]} and of {word}, which mean the same part; rename some.")
        found.setdefault(part, []).append(file)
    if not found:
        return {UNDIVIDED: list(files)}, []
    if missing := [part for part in ("train", "test") if part not in found]:
        raise DataError(
            f"{root} has shards of {' and '.join(words.values())} and none of {' and none of '.join(missing)}; add "
            "them, or give all shards names without such words to have them split."
        )
    notes = []
    if others:
        shown = ", ".join(str(file.relative_to(root)) for file in others[:3]) + (", ..." if others[3:] else "")
        notes.append(f"{len(others):,} other shard{'s' * (len(others) > 1)} passed over ({shown})")
    if "validation" in found:
        notes.append(f"{words['validation']} is the validation part")
    return {part: found[part] for part in SPLITS if part in found}, notes


def part_word(path: Path) -> str | None:
    """The word by which a shard says of which part it is: a folder that it lies in, or else a word of its name.

    Raises:
        DataError: its name has words of two parts.

    >>> [part_word(Path(path)) for path in ("train/000.tar", "imagenet1k-validation-07.tar", "trainer-07.tar")]
    ['train', 'validation', None]
    """
    for folder in path.parts[:-1]:
        if folder.lower() in _WORDS:
            return folder.lower()
    words = dict.fromkeys(word for word in re.split("[^a-z]+", path.stem.lower()) if word in _WORDS)
    if len(words) > 1:
        raise DataError(f"It is not clear of which part {path} is, by its name: {' or '.join(words)}; rename it.")
    return next(iter(words), None)


def _check_one_way(shards: Iterable[Shard]) -> None:
    """Refuse classes that lie under `.cls` in one shard and under `.json` in another.

    Raises:
        DataError: they do.
    """
    first: dict[str, Path] = {}
    for shard in shards:
        if shard.labels_in is not None:
            first.setdefault(shard.labels_in, shard.path)
    if len(first) > 1:
        told = " and ".join(f"{path} under .{suffix}" for suffix, path in first.items())
        raise DataError(f"The classes lie in {told}, and may be numbered in another way there; write all under one.")


def _check_keys(shards: Iterable[Shard]) -> None:
    """Refuse a key that two shards of a part have: one of them may be a copy.

    Raises:
        DataError: there is one.
    """
    seen: dict[str, Path] = {}
    for shard in shards:
        for example in shard.examples:
            if seen.setdefault(example.key, shard.path) is not shard.path:
                raise DataError(
                    f"{seen[example.key]} and {shard.path} both have the key {example.key}; if one is a copy take it "
                    "away, else give each example a key of its own."
                )


def _listed_names(path: Path) -> list[str]:
    """The names of the classes, no two of which are the same: those that are have their numbers behind them."""
    try:
        lines = [line.strip() for line in path.read_text("utf-8-sig").splitlines()]
    except ValueError:
        raise DataError(f"{path} is not written in UTF-8; write it anew, or take it away.") from None
    while lines and not lines[-1]:
        lines.pop()
    times = Counter(lines)
    return [line if line and times[line] == 1 else f"{line} ({number})".strip() for number, line in enumerate(lines)]


def _class_names(root: Path, labels: Counter[ClassLabel], listed: Sequence[str] | None) -> tuple[str, ...]:
    """The names of the classes by their numbers.

    Args:
        root: where the shards lie.
        labels: how many images have which.
        listed: the names that a file beside them has.

    Raises:
        DataError: the classes are partly numbers and partly names, are fewer than two, are not among the listed ones,
            or their numbers leave out more than they use.
    """
    named = [label for label in labels if isinstance(label, str)]
    numbers = [label for label in labels if isinstance(label, int)]
    if named and numbers:
        raise DataError(
            f"The classes in {root} are numbers, as {numbers[0]}, and names, as {named[0]}; write all alike."
        )
    if len(labels) < 2:
        raise DataError(f"All images in {root} are of one class, {next(iter(labels))}; two classes are needed.")
    if listed is not None:
        strange: list[ClassLabel] = [*sorted(set(named) - set(listed))]
        strange += [number for number in sorted(numbers) if number >= len(listed)]
        if strange:
            raise DataError(
                f"{root / NAMES} has {len(listed):,} classes and not {strange[0]}, which images are of; add a line for "
                "each class, in the order of their numbers."
            )
        return tuple(listed)
    if named:
        return tuple(sorted(named))
    if 2 * len(numbers) <= max(numbers):
        raise DataError(
            f"The class numbers in {root} reach to {max(numbers)} and are only {len(numbers):,}, so that most classes "
            f"would have no images; number them from 0, or list all classes in {root / NAMES}, one a line."
        )
    return tuple(map(str, range(max(numbers) + 1)))


def _digest(
    shards: Mapping[str, Sequence[Shard]], parts: Mapping[str, tuple[list[Region], Tensor]], names: Sequence[str]
) -> str:
    """The SHA-256 of all that decides what is read; how the examples are spread over shards is no part of it."""
    count = sum(len(images) for images, _ in parts.values())
    sha = hashlib.sha256(f"{count} images in shards\n{json.dumps(list(names))}\n".encode())
    for part, found in shards.items():
        sha.update(f"{part}: {len(parts[part][0])}\n".encode())
        numbers = iter(parts[part][1].tolist())
        for example, content in _with_digests(found):
            told = f"{example.key}\0{Path(example.image.name).suffix.lower()}\0{next(numbers)}\0"
            sha.update(told.encode() + content)
    return sha.hexdigest()


def _with_digests(shards: Iterable[Shard]) -> Iterator[tuple[Example, bytes]]:
    for shard in shards:
        yield from zip(shard.examples, shard.image_digests(), strict=True)
