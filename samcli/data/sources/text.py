"""A text as a language model sees it: windows of tokens, and for each token the one that follows."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from samcli.data.base import DATASETS, DatasetKind, Source
from samcli.data.sources._path import OfPath, is_file_of, resolved_file
from samcli.data.sources._text import (
    PYTHON,
    SUFFIXES,
    ByteTokenizer,
    FileTokenizer,
    Texts,
    Tokens,
    find_texts,
    mean_lengths,
    memory,
    read_content,
)
from samcli.data.tokenizer_file import with_tokenizer
from samcli.errors import ConfigError, DataError
from samcli.registry import option
from samcli.streams import stream
from samcli.tasks import LanguageModel
from samcli.words import count

PARTS = ("training", "validation", "test")
SHARE = 10  # one file of so many is tested on, and another is the validation part
BYTES_A_TOKEN = 16  # of memory: the content, the token in 32 bits, and the one that follows in 64


@DATASETS.register("text:")
@dataclass(frozen=True)
class Text(OfPath, DatasetKind):
    """A language model of a file, of the text files in a folder, or of Python's own sources: text:python.

    Tokens are bytes, 256 of them, or those of a tokenizer. A tenth of the files, drawn once, is the test part, and
    another the validation part; of one or two files their last tenth, and the tenth before. docs/texts.md says which
    files are read.
    """

    FORM: ClassVar[str] = "text:PATH"
    NOUN: ClassVar[str] = "file or folder"
    ARGUMENT: ClassVar[str] = "PATH"
    title: ClassVar[str] = "the text"
    is_images: ClassVar[bool] = False
    is_tokens: ClassVar[bool] = True
    default_model: ClassVar[str | None] = "gpt"

    argument: str
    _: KW_ONLY
    context: int = option(64, "tokens in a window", minimum=1, maximum=1_000_000)
    tokenizer: str | None = option(
        None, "a tokenizer.json of the library tokenizers; null: each byte is a token", canonical=resolved_file
    )
    train_tokens: int | None = option(
        None, "train on the first so many tokens, a multiple of context; null for all", minimum=1
    )
    test_tokens: int | None = option(
        None, "at most so many tokens of the test and of the validation part, evenly spread; null for all", minimum=1
    )
    binary: bool = option(False, "whether files may hold zero bytes, which no text has")
    split_seed: int = option(0, "decides which files are tested on, and the order of the others", minimum=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.label_noise:
            raise ConfigError(f"label_noise draws classes and {self.title} has none; leave label_noise out.")
        if self.train_tokens is not None and self.train_tokens % self.context:
            nearest = max(1, round(self.train_tokens / self.context)) * self.context
            raise ConfigError(
                f"train_tokens must be a multiple of context, but {self.train_tokens} is none of {self.context}; "
                f"set train_tokens: {nearest}."
            )
        if self.binary and self.tokenizer is not None:
            raise ConfigError("binary is for models of bytes, and a tokenizer reads UTF-8; leave one of the two out.")

    @property
    def metric(self) -> str:
        return LanguageModel.metric

    @classmethod
    def canonical(cls, argument: str) -> str:
        """The absolute path, or `python`."""
        return argument if argument == PYTHON else super().canonical(argument)

    @staticmethod
    def serves(name: str) -> bool:
        """Whether this is a file of text."""
        return is_file_of(name, SUFFIXES)

    def digest(self, data_dir: Path) -> str | None:
        return with_tokenizer(find_texts(self.argument).digest(), self._tokenizer_file)

    def source(self, data_dir: Path) -> Source:
        texts = find_texts(self.argument)
        digest = with_tokenizer(texts.digest(), self._tokenizer_file)
        tokenizer = ByteTokenizer() if self._tokenizer_file is None else FileTokenizer(self._tokenizer_file)
        parts = self._parts(texts, tokenizer)
        windows = [self._windows(name, tokens) for name, tokens in zip(PARTS, parts, strict=True)]
        lengths = () if parts[0].lengths is None else mean_lengths(parts, tokenizer.vocabulary)
        train, validation, test = windows
        return Source(
            *train,
            *test,
            LanguageModel(tokenizer.vocabulary, lengths),
            validation=validation,
            notes=(*self._notes(texts, digest), *tokenizer.notes(part.numbers for part in parts)),
            digest=digest,
            vocabulary=tokenizer.vocabulary,
            reading={"kind": "text", "tokenizer": tokenizer.document, "context": self.context},
        )

    @property
    def _tokenizer_file(self) -> Path | None:
        return None if self.tokenizer is None else Path(self.tokenizer).expanduser()

    def _parts(self, texts: Texts, tokenizer: ByteTokenizer | FileTokenizer) -> list[Tokens]:
        """The tokens of the training part, as many as are asked for, of the validation and of the test part."""
        limit = self.train_tokens
        if len(texts.files) > 2:
            train, *others = self._split(texts)
            return [self._read(train, tokenizer, limit), *(self._read(files, tokenizer) for files in others)]
        whole = self._read(texts.files, tokenizer)
        end, tenth = len(whole.numbers), len(whole.numbers) // SHARE
        first = end - 2 * tenth
        return [
            _cut(whole, 0, first if limit is None else min(first, limit + 1)),
            _cut(whole, first, end - tenth),
            _cut(whole, end - tenth, end),
        ]

    def _split(self, texts: Texts) -> tuple[Sequence[Path], ...]:
        """The files of each part, in an order that the seed decides."""
        order = torch.randperm(len(texts.files), generator=stream(self.split_seed, "texts")).tolist()
        drawn = [texts.files[i] for i in order]
        size = max(1, round(len(drawn) / SHARE))
        return drawn[2 * size :], drawn[size : 2 * size], drawn[:size]

    def _read(
        self, files: Sequence[Path], tokenizer: ByteTokenizer | FileTokenizer, limit: int | None = None
    ) -> Tokens:
        """The tokens of some files one after the other, up to one more than the limit: the last one has a next.

        Raises:
            DataError: a file cannot be read or is no text, or the machine has no room for all.
        """
        size = sum(file.stat().st_size for file in files)
        if limit is None and size * BYTES_A_TOKEN > memory():
            raise DataError(
                f"{size / 2**30:,.0f} GiB of text take more memory than this machine has; set dataset.train_tokens."
            )
        found, length = [], 0
        for file in files:
            found.append(tokenizer.tokens(read_content(file, binary=self.binary), file))
            length += len(found[-1].numbers)
            if limit is not None and length > limit:
                break
        lengths = [tokens.lengths for tokens in found if tokens.lengths is not None]
        joined = Tokens(
            np.concatenate([tokens.numbers for tokens in found]), np.concatenate(lengths) if lengths else None
        )
        return joined if limit is None else _cut(joined, 0, limit + 1)

    def _windows(self, part: str, tokens: Tokens) -> tuple[Tensor, Tensor]:
        """Windows that do not overlap, and the tokens that follow: views of the tokens and of these shifted by one,
        unless some windows of a part are chosen.

        Raises:
            DataError: there is not one window, or there are fewer training tokens than asked for.
        """
        numbers, length = tokens.numbers, self.context
        if part == "training" and self.train_tokens is not None and len(numbers) <= self.train_tokens:
            raise DataError(
                f"train_tokens: {self.train_tokens:,} and the one after them are more than the {len(numbers):,} "
                f"training tokens of {self.label}; choose a smaller number or leave it out."
            )
        windows = (len(numbers) - 1) // length
        if windows < 1:
            raise DataError(
                f"The {part} part of {self.label} has {count(len(numbers), 'token')}, fewer than a window of {length} "
                "and the token after it; set dataset.context lower, or add text."
            )
        inputs, following = torch.from_numpy(numbers), torch.from_numpy(numbers.astype(np.int64))[1:]
        end = windows * length
        cut = inputs[:end].view(windows, length), following[:end].view(windows, length)
        if part == "training" or self.test_tokens is None or self.test_tokens >= end:
            return cut
        wanted = max(1, self.test_tokens // length)
        spread = torch.arange(wanted) * windows // wanted
        return cut[0][spread], cut[1][spread]

    def _notes(self, texts: Texts, digest: str) -> Iterator[str]:
        if self.argument == PYTHON:
            yield f"the standard library of Python {platform.python_version()}"
            yield f"SHA-256 {digest[:12]}..."
        yield from texts.notes()


def _cut(tokens: Tokens, start: int, end: int) -> Tokens:
    lengths = None if tokens.lengths is None else tokens.lengths[start:end]
    return Tokens(np.ascontiguousarray(tokens.numbers[start:end]), lengths)
