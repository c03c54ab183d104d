"""The door through which each file of a results folder comes in: looked at once, and trusted afterwards.

A results folder may be a stranger's, half-written, or damaged. What comes through this door is a regular file of
bounded size, in UTF-8, and holds plain values of bounded number and depth; what it must hold besides is said in
`samcli.runs.documents`.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any, NoReturn

import yaml

from samcli.errors import ResultsError
from samcli.runs.mapping import LOADER, SHORT, load

MOST_BYTES = 64 * 2**20  # of a text: a million epochs have fewer
MOST_VALUES = 200_000  # of a document, each alias written out
MOST_DEPTH = 30
LARGEST = 2**63 - 1  # a whole number beyond it is no count of anything, and some readers fail on it


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """A regular file, open for reading; a pipe or a device might never end.

    Raises:
        FileNotFoundError: there is none.
        OSError: it cannot be read, or is no regular file.

    >>> with opened(Path(os.devnull)) as file:
    ...     pass
    Traceback (most recent call last):
    OSError: [Errno 22] it is no regular file: '/dev/null'
    """
    # without O_NONBLOCK, opening a pipe waits for whoever writes to it
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", str(path))
        with open(descriptor, "rb", closefd=False) as file:
            yield file
    finally:
        os.close(descriptor)


def read_text(path: Path) -> str:
    """The content of a text file.

    Raises:
        ResultsError: it is missing, unreadable, too large, or no text; nothing is deleted, for the folder may be
            someone else's.

    >>> read_text(Path("nowhere/run.json"))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    samcli.errors.ResultsError: nowhere/run.json is missing; restore it, or move its folder away and train ...
    """
    try:
        return _read(path).decode("utf-8")
    except FileNotFoundError:
        raise unreadable(path, "is missing") from None
    except UnicodeDecodeError:
        raise unreadable(path, "is not text") from None
    except OSError as error:
        raise unreadable(path, f"cannot be read: {error.strerror}") from None


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping of plain values in a YAML file; its parts may be those of others', and are not to be changed.

    Raises:
        ResultsError: it cannot be read, is no YAML mapping, or holds something else than samcli writes.
    """
    text = read_text(path)
    try:
        document = None if _overflows(text) else load(text)
    except Exception:  # PyYAML's constructors raise whatever they stumble over: ValueError, KeyError, AttributeError
        document = None
    if not isinstance(document, dict):
        raise unreadable(path, "is not a YAML mapping")
    return _plain(path, document)


def read_json(path: Path) -> dict[str, Any]:
    """The object of plain values in a JSON file.

    Raises:
        ResultsError: it cannot be read, is no JSON object, or is nested more deeply than samcli writes.
    """
    try:
        document = json.loads(read_text(path), parse_constant=_refuse)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise unreadable(path, "is not a JSON object")
    return _plain(path, document)


def _overflows(text: str) -> bool:
    """Whether a YAML text is nested so deeply that composing it, a recursion in C, could end the process.

    Raises:
        yaml.YAMLError: no YAML.
    """
    if len(text) <= SHORT:  # it cannot be nested deeply enough to exhaust the stack of libyaml's reader
        return False
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):  # parsing keeps a list, not a stack
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_DEPTH:
            return True
    return False


def unreadable(path: Path, what: str) -> ResultsError:
    """The error for a file of a run that cannot be used.

    >>> print(unreadable(Path("run.json"), "is missing"))
    run.json is missing; restore it, or move its folder away and train the run again.
    """
    way_out = "restore it, or move its folder away and train the run again"
    if path.name in ("config.yaml", "run.json", "metrics.csv") and os.path.isfile(path.with_name("checkpoint.pt")):
        way_out = "the samcli train command that began the run restores it from its checkpoint"
    return ResultsError(f"{path} {what}; {way_out}.")


def plain_fault(document: object) -> str | None:
    """What keeps a value from being plain, in words that follow "it"; None if nothing does.

    Plain are texts, numbers, truth values and null, in lists and in mappings whose keys are texts, of bounded number
    and depth. An alias counts as often as it is used, so that a few lines cannot stand for millions of values.

    >>> plain_fault({"rho": [0.05, None]}), plain_fault({2026: "a year"})
    (None, 'has a key that is no text: 2026')
    """
    count, level = 0, [document]
    for _ in range(MOST_DEPTH):
        below: list[object] = []
        for value in level:
            if type(value) in _SAFE or (type(value) is str and value.isascii()):
                continue
            if isinstance(value, dict):
                for key in value:
                    if not isinstance(key, str):
                        return f"has a key that is no text: {key!r:.60}"
                below += value.keys()
                below += value.values()
            elif isinstance(value, list):
                below += value
            elif fault := _scalar_fault(value):
                return fault
            if len(below) > MOST_VALUES:
                return f"holds more than {MOST_VALUES:,} values"
        count += len(below)
        if count > MOST_VALUES:
            return f"holds more than {MOST_VALUES:,} values"
        if not below:
            return None
        level = below
    return f"is nested more than {MOST_DEPTH} levels deep"


_SAFE = frozenset((float, bool, type(None)))  # any value of these types is plain


def _scalar_fault(value: object) -> str | None:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return "holds a text that is no Unicode"
    elif isinstance(value, bool | float | None):
        pass
    elif not isinstance(value, int):
        return f"holds a {type(value).__name__}, which samcli does not write"
    elif abs(value) > LARGEST:
        return "holds a whole number of more than 63 bits"
    return None


def _plain(path: Path, document: dict[Any, Any]) -> dict[str, Any]:
    if fault := plain_fault(document):
        raise unreadable(path, fault)
    return document


def _read(path: Path) -> bytes:
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > MOST_BYTES:
            raise OSError(errno.EFBIG, f"it has {size:,} bytes, more than {MOST_BYTES:,}", str(path))
        return file.read()


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
