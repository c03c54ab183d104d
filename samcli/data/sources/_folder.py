"""The layout of a folder of classes: which files are examples of which class and part, and which are passed over."""

from __future__ import annotations

import functools
import hashlib
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from samcli.errors import DataError
from samcli.words import count

SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".bmp", ".dib", ".gif", ".webp", ".avif",
    ".tif", ".tiff", ".pbm", ".pgm", ".ppm", ".pnm", ".jp2", ".tga", ".pcx",
)  # fmt: skip

# The names that people give to the folders of a split, in any case.
SPLITS = {"train": ("train", "training"), "validation": ("val", "valid", "validation"), "test": ("test", "testing")}

# What file systems, servers and desktops leave in folders, beside all that begins with a dot.
SYSTEM = {
    "__macosx", "__pycache__", "@eadir", "@tmp", "@recycle", "@recently-snapshot", "#recycle", "#snapshot",
    "$recycle.bin", "recycler", "system volume information", "lost+found", "thumbs.db", "ehthumbs.db", "desktop.ini",
    "icon\r",
}  # fmt: skip


@dataclass(frozen=True)
class Examples:
    """What the files of a folder are.

    Attributes:
        noun: the word for one.
        kind: what comes before the path in the name of the data set.
        suffixes: of the files, in small letters.
    """

    noun: str
    kind: str
    suffixes: tuple[str, ...]

    @property
    def pattern(self) -> str:
        """Names of files of the first suffix.

        >>> IMAGES.pattern
        '*.jpg'
        """
        return f"*{self.suffixes[0]}"


IMAGES = Examples("image", "image-folder", SUFFIXES)


@dataclass(frozen=True)
class Layout:
    """The files of a folder.

    Attributes:
        root: the folder.
        parts: for each part, its folder and the files of each class, both sorted: `train`, `test`, and `validation` if
            there is one; or `all`, where the folder holds the classes themselves.
        passed_over: how many other files there are, by suffix.
        others: the names of folders beside those of the parts.
        examples: what the files are.
    """

    root: Path
    parts: dict[str, tuple[Path, dict[str, list[Path]]]]
    passed_over: Counter[str]
    others: tuple[str, ...]
    examples: Examples = IMAGES

    @property
    def files(self) -> list[Path]:
        """All of them, part by part and class by class."""
        return [file for _, classes in self.parts.values() for files in classes.values() for file in files]

    def digest(self) -> str:
        """The SHA-256 of the number of files, of their relative paths and of what they hold.

        Raises:
            DataError: a file cannot be read.
        """
        return files_digest(self.root, self.files, f"{self.examples.noun}s")

    def notes(self) -> Iterator[str]:
        """What was passed over, in clauses."""
        yield from others_told(self.passed_over)
        if self.others:
            listed = ", ".join(self.others[:6]) + (", ..." if len(self.others) > 6 else "")
            yield f"{len(self.others)} other folder{'s' * (len(self.others) > 1)} passed over ({listed})"
        if "validation" in self.parts:
            yield f"{self.parts['validation'][0].name}/ is the validation part"


def files_digest(root: Path, files: Iterable[Path], what: str) -> str:
    """The SHA-256 of the number of files, of their paths within a folder and of what they hold.

    Args:
        root: the folder.
        files: those in it, in any order.
        what: the word for them.

    Raises:
        DataError: a file cannot be read.
    """
    listed = sorted((os.fsencode(file.relative_to(root)), file) for file in files)
    sha = hashlib.sha256(f"{len(listed)} {what}\n".encode())
    for path, file in listed:
        try:
            state = file.stat()
            content = _content_digest(file, state.st_size, state.st_mtime_ns)
        except OSError as error:
            raise DataError(f"{file} cannot be read ({error.strerror}); mend it or move it away.") from None
        sha.update(path + b"\0" + content)
    return sha.hexdigest()


@functools.lru_cache(maxsize=2**18)  # a process asks for the digest of a folder several times
def _content_digest(file: Path, size: int, modified: int) -> bytes:
    """The SHA-256 of a file; size and time of the last change tell whether it is still the one that was read."""
    del size, modified
    return hashlib.sha256(file.read_bytes()).digest()


def others_told(passed_over: Counter[str]) -> Iterator[str]:
    """A clause on the files that were passed over, if there were any.

    >>> list(others_told(Counter({"txt": 3, "csv": 1})))
    ['4 other files passed over (txt: 3, csv: 1)']
    """
    if total := passed_over.total():
        ordered = sorted(passed_over.items(), key=lambda item: (-item[1], item[0]))
        kinds = ", ".join(f"{kind}: {count}" for kind, count in ordered[:6]) + (", ..." if ordered[6:] else "")
        yield f"{total:,} other file{'s' * (total > 1)} passed over ({kinds})"


def is_hidden(name: str) -> bool:
    """Whether a file or folder is one that people do not mean, by its name.

    >>> [is_hidden(name) for name in (".ipynb_checkpoints", "@eaDir", "Thumbs.db", "cat", "@")]
    [True, True, True, False, False]
    """
    return name.startswith(".") or name.lower() in SYSTEM


def read_layout(root: Path, examples: Examples = IMAGES) -> Layout:
    """Find the parts, classes and files of a folder; no file is opened.

    Args:
        root: the folder.
        examples: what its files are.

    Raises:
        DataError: it is no such folder, or it is not clear which of its folders are the classes.
    """
    if not os.path.isdir(root):  # Path.is_dir raises for names that are too long
        raise DataError(
            f"There is no folder {root.absolute()}; give the folder of {examples.noun}s as {examples.kind}:PATH."
        )
    try:
        passed_over: Counter[str] = Counter()
        folders = list(_folders(root))
        splits = _splits(root, folders, examples)
        if not splits:
            return Layout(root, {"all": (root, _classes(root, passed_over, examples))}, passed_over, (), examples)
        _count_others(root, passed_over)
        parts = {
            part: (splits[part], _classes(splits[part], passed_over, examples)) for part in SPLITS if part in splits
        }
        _check_same_classes(parts)
        others = tuple(folder.name for folder in folders if folder not in splits.values())
        return Layout(root, parts, passed_over, others, examples)
    except OSError as error:
        raise DataError(
            f"{error.filename or root} cannot be read ({error.strerror}); see to its permissions."
        ) from error


def _splits(root: Path, folders: Sequence[Path], examples: Examples) -> dict[str, Path]:
    """The folder of each part; none where the folder holds the classes themselves.

    A class may be called "train" as well: one such folder, with files of its own, is no part.
    """
    named: dict[str, list[Path]] = {}
    for folder in folders:
        for part, names in SPLITS.items():
            if folder.name.lower() in names:
                named.setdefault(part, []).append(folder)
    if len(named) < 2 and not any(next(_folders(one), None) for found in named.values() for one in found):
        return {}
    for found in named.values():
        if len(found) > 1:
            both = " and ".join(f"{one.name}/" for one in found)
            raise DataError(
                f"{root} has {both}, which mean the same part; put their {examples.noun}s together or rename one."
            )
    there = {part: f"{found[0].name}/" for part, found in named.items()}
    if missing := [part for part in ("train", "test") if part not in there]:
        advice = "add them" if len(missing) == 2 else "add that folder"
        if missing == ["test"] and "validation" in there:
            advice += f", perhaps {there.pop('validation')} under that name"
        raise DataError(
            f"{root} has {' and '.join(there.values())} and no {'/ and no '.join(missing)}/; {advice}, or put the "
            f"class folders into {root} itself to have them split."
        )
    return {part: found[0] for part, found in named.items()}


def _classes(folder: Path, passed_over: Counter[str], examples: Examples) -> dict[str, list[Path]]:
    """The files of each class folder, sorted.

    Raises:
        DataError: fewer than two classes, one without files, or folders that are no classes.
    """
    classes = list(_folders(folder))
    if len(classes) < 2:
        raise DataError(
            f"{folder} has {count(len(classes), 'class folder')} and two are needed; "
            f"lay the {examples.noun}s out as {folder}/CLASS/{examples.pattern}."
        )
    _count_others(folder, passed_over)
    listed = {path.name: files_below(path, passed_over, examples.suffixes) for path in classes}
    for path in classes:
        if not listed[path.name]:
            raise DataError(
                f"The class folder {path} has no {examples.noun}s; add some "
                f"({', '.join(s[1:] for s in examples.suffixes)}) "
                "or delete the folder."
            )
    _check_clear(folder, {path: listed[path.name] for path in classes}, examples)
    return listed


def _check_clear(folder: Path, listed: dict[Path, list[Path]], examples: Examples) -> None:
    """Refuse class folders that all hold folders of the same names and nothing else: the classes may be these.

    One name alone, such as `images`, is the layout of some data sets, and no class.
    """
    held = []
    for path, files in listed.items():
        below = [file.relative_to(path).parts for file in files]
        if any(len(parts) == 1 for parts in below):
            return
        held.append({parts[0] for parts in below})
    every = set.union(*held)
    if set.intersection(*held) and len(every) > 1:
        names = ", ".join(sorted(every)[:5])
        raise DataError(
            f"The folders of {folder} hold no {examples.noun}s but folders of the same names ({names}), so that it is "
            f"not clear which are the classes; lay the {examples.noun}s out as {folder}/CLASS/{examples.pattern}, or "
            "as train/CLASS/ and test/CLASS/."
        )


def _check_same_classes(parts: dict[str, tuple[Path, dict[str, list[Path]]]]) -> None:
    train, known = parts["train"]
    for folder, classes in parts.values():
        if differing := sorted(set(known) ^ set(classes)):
            raise DataError(
                f"{train} and {folder} must have the same classes; only one has: {', '.join(differing[:10])}."
            )


def _folders(folder: Path) -> Iterator[Path]:
    """The folders in a folder that are not hidden, sorted."""
    return (path for path in sorted(folder.iterdir()) if path.is_dir() and not is_hidden(path.name))


def _count_others(folder: Path, passed_over: Counter[str]) -> None:
    """Count the files that lie beside class folders."""
    passed_over.update(_kind(path) for path in folder.iterdir() if not (path.is_dir() or is_hidden(path.name)))


def files_below(
    folder: Path,
    passed_over: Counter[str],
    suffixes: Collection[str] = SUFFIXES,
    is_unwanted: Callable[[str], bool] = is_hidden,
) -> list[Path]:
    """The files at any depth below a folder, sorted; links to folders are followed, each folder once.

    Args:
        folder: to look in.
        passed_over: is told how many other files there are, by suffix.
        suffixes: of the files that are wanted, in small letters; by default those of images.
        is_unwanted: whether a file or folder is passed over without a word, by its name.

    Raises:
        OSError: a folder cannot be read.
    """
    found, waiting, links, seen = [], [folder], list[Path](), set[Path]()
    while waiting or links:
        here = waiting.pop() if waiting else links.pop(0)
        real = here.resolve()
        if real in seen:
            continue
        seen.add(real)
        with os.scandir(here) as entries:  # knows of each what it is, without a look at the disk
            listed = sorted((entry for entry in entries if not is_unwanted(entry.name)), key=lambda entry: entry.name)
        for entry in listed:
            path = here / entry.name
            if entry.is_dir():
                if not entry.is_symlink():
                    waiting.append(path)
                elif real.is_relative_to(path.resolve()):  # it leads to what it lies in, other classes perhaps
                    passed_over["link to a folder above"] += 1
                else:
                    links.append(path)  # after what lies here itself
            elif entry.is_file() and path.suffix.lower() in suffixes:
                found.append(path)
            else:
                passed_over[_kind(path)] += 1
    return sorted(found)


def _kind(path: Path) -> str:
    if not path.is_file():
        return "broken link" if path.is_symlink() else "no regular file"
    return path.suffix.lower()[1:13] or "no suffix"
