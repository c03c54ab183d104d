"""Files of text: which of a folder's they are, what they hold, and the tokens of it."""

from __future__ import annotations

import functools
import os
import sysconfig
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from samcli.data.sources._folder import files_below, files_digest, is_hidden, others_told
from samcli.data.tokenizer_file import library_tokenizer, tokenizer_content
from samcli.errors import DataError

SUFFIXES = (
    ".txt", ".text", ".md", ".rst", ".tex", ".org", ".html", ".htm", ".xml", ".css",
    ".py", ".pyi", ".c", ".h", ".cc", ".cpp", ".hpp", ".rs", ".go", ".java", ".kt", ".js", ".ts", ".rb", ".pl", ".lua",
    ".r", ".jl", ".hs", ".ml", ".sh", ".sql", ".csv", ".tsv", ".json", ".jsonl", ".yaml", ".yml", ".toml", ".ini",
)  # fmt: skip

PYTHON = "python"  # the name of the standard library's own sources
BYTES = 256  # the vocabulary of bytes: all that a byte can be, so that other files fit the same network

# What of the standard library is no source of it: tests, generated tables, and what differs from build to build.
NO_SOURCES = ("test", "tests", "idle_test", "encodings", "pydoc_data", "site-packages", "dist-packages")
OF_THE_BUILD = ("config-", "_sysconfigdata")


@dataclass(frozen=True)
class Texts:
    """Some files of text, in the order of their paths.

    Attributes:
        root: the folder that they lie in.
        files: those that are not empty.
        passed_over: how many other files there are, by suffix.
    """

    root: Path
    files: tuple[Path, ...]
    passed_over: Counter[str] = field(default_factory=Counter)

    def digest(self) -> str:
        """The SHA-256 of the number of files, of their relative paths and of what they hold.

        Raises:
            DataError: a file cannot be read.
        """
        return files_digest(self.root, self.files, "texts")

    def notes(self) -> Iterator[str]:
        """How many there are, and what was passed over, in clauses."""
        if len(self.files) > 1:
            yield f"{len(self.files):,} files"
        yield from others_told(self.passed_over)


def find_texts(argument: str) -> Texts:
    """The files that a name stands for: a file, all files of text in a folder, or `python`. None is read.

    Raises:
        DataError: there is nothing of that name, or nothing in it.

    >>> python = find_texts("python")
    >>> any("test" in file.parts for file in python.files), len(python.files) > 100
    (False, True)
    """
    path = Path(sysconfig.get_paths()["stdlib"]) if argument == PYTHON else Path(argument).expanduser()
    passed_over: Counter[str] = Counter()
    try:
        if path.is_dir():
            suffixes, unwanted = ((".py",), _is_no_source) if argument == PYTHON else (SUFFIXES, is_hidden)
            found = files_below(path, passed_over, suffixes, unwanted)
            root = path
        elif path.is_file():
            root, found = path.parent, [path]
        elif path.exists():
            raise DataError(f"{path} is neither a file nor a folder; give a file or a folder of text as text:PATH.")
        else:
            raise DataError(f"There is no {path}; give a file or a folder as text:PATH, or text:{PYTHON}.")
        files = sorted((file for file in found if file.stat().st_size), key=lambda file: file.relative_to(root).parts)
    except OSError as error:
        raise DataError(
            f"{error.filename or path} cannot be read ({error.strerror}); see to its permissions."
        ) from error
    if not files:
        what = "is empty" if found else f"has no files of text ({', '.join(s[1:] for s in SUFFIXES[:8])}, ...)"
        raise DataError(f"{path} {what}; give another file or folder of text.")
    return Texts(root, tuple(files), Counter() if argument == PYTHON else passed_over)


def _is_no_source(name: str) -> bool:
    return is_hidden(name) or name in NO_SOURCES or name.startswith(OF_THE_BUILD)


def read_content(file: Path, *, binary: bool = False) -> bytes:
    """What a file holds.

    Args:
        file: of text.
        binary: whether it may hold bytes that no text has.

    Raises:
        DataError: it cannot be read, or is no text.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise DataError(f"{file} cannot be read ({error.strerror}); mend it or move it away.") from None
    if not binary and b"\0" in content:
        raise DataError(
            f"{file} is no text, or one in UTF-16: it holds zero bytes. Take it out or write it in UTF-8; for a model "
            "of its bytes set dataset.binary: true."
        )
    return content


def decoded(content: bytes, file: Path) -> str:
    """The characters of a file in UTF-8.

    Raises:
        DataError: it is in another encoding.

    >>> decoded("naïve".encode(), Path("a.txt"))
    'naïve'
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{file} is not in UTF-8 (byte {error.start + 1:,}), which a tokenizer reads; write it in UTF-8, or leave "
            "dataset.tokenizer out for a model of bytes."
        ) from None


@dataclass(frozen=True)
class Tokens:
    """The tokens of a text.

    Attributes:
        numbers: (n,) int32.
        lengths: (n,) int64, the bytes of the text from the end of the token before to the end of this one; None where
            each is one byte. They add up to the bytes of the text.
    """

    numbers: npt.NDArray[np.int32]
    lengths: npt.NDArray[np.int64] | None = None


class ByteTokenizer:
    """Each byte is a token."""

    vocabulary = BYTES
    document = "bytes"

    def tokens(self, content: bytes, file: Path) -> Tokens:
        """The bytes as numbers.

        >>> ByteTokenizer().tokens(b"ab", Path("a.txt")).numbers.tolist()
        [97, 98]
        """
        return Tokens(np.frombuffer(content, np.uint8).astype(np.int32))

    def notes(self, numbers: Iterable[npt.NDArray[np.int32]]) -> Iterator[str]:
        """Nothing to be said."""
        return iter(())


class FileTokenizer:
    """A tokenizer of the library `tokenizers`, read from its JSON file. No special tokens are added.

    Attributes:
        vocabulary: one more than its largest token.
        document: the JSON.

    Args:
        file: `tokenizer.json`.

    Raises:
        DataError: it cannot be read, or `tokenizers` is not installed.
    """

    def __init__(self, file: Path) -> None:
        content = tokenizer_content(file)
        self._tokenizer = library_tokenizer(content, str(file), "for a model of bytes")
        self.vocabulary = 1 + max(self._tokenizer.get_vocab(with_added_tokens=True).values())
        self.document = content.decode()
        self._file = file

    def tokens(self, content: bytes, file: Path) -> Tokens:
        """The tokens of a file in UTF-8.

        Raises:
            DataError: it is in another encoding.
        """
        text = decoded(content, file)
        encoded = self._tokenizer.encode(text, add_special_tokens=False)
        ends = np.array([end for _, end in encoded.offsets], np.int64)
        points = np.frombuffer(text.encode("utf-32-le"), np.uint32)
        width = 1 + (points > 0x7F).astype(np.int64) + (points > 0x7FF) + (points > 0xFFFF)  # of UTF-8
        before = np.concatenate([[0], width.cumsum()])
        reached = before[np.maximum.accumulate(ends)] if len(ends) else ends
        reached[-1:] = before[-1]
        return Tokens(np.array(encoded.ids, np.int32), np.diff(reached, prepend=0))

    def notes(self, numbers: Iterable[npt.NDArray[np.int32]]) -> Iterator[str]:
        """How many tokens stand for what it does not know, in a clause."""
        yield f"tokens of {self._file.name}"
        unknown = getattr(self._tokenizer.model, "unk_token", None)
        number = None if unknown is None else self._tokenizer.token_to_id(unknown)
        if number is not None and (count := sum(int((part == number).sum()) for part in numbers)):
            yield f"{count:,} of them {unknown}, which flatters bits per byte"


def mean_lengths(parts: Sequence[Tokens], vocabulary: int) -> tuple[float, ...]:
    """The mean number of bytes that each token stands for in some texts; 0 for one that is not in them.

    >>> numbers, lengths = np.array([1, 1, 0], np.int32), np.array([2, 4, 1])
    >>> mean_lengths([Tokens(numbers, lengths)], vocabulary=3)
    (1.0, 3.0, 0.0)
    """
    total, often = np.zeros(vocabulary), np.zeros(vocabulary)
    for part in parts:
        assert part.lengths is not None
        total += np.bincount(part.numbers, part.lengths, vocabulary)
        often += np.bincount(part.numbers, minlength=vocabulary)
    return tuple((total / np.maximum(often, 1)).tolist())


@functools.cache
def memory() -> float:
    """Bytes of memory of this machine; infinite where it does not tell."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else np.inf
