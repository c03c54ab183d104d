"""Texts with classes as a data set: what tables and folders of texts have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from samcli.data.base import Source
from samcli.data.sources._table_split import split_rows
from samcli.data.text_tokens import TextTokenizer, Words, tokenizer_of
from samcli.data.texts import token_rows
from samcli.errors import DataError
from samcli.tasks import Binary, Classification
from samcli.words import count


@dataclass(frozen=True)
class Labelled:
    """Some texts and their classes.

    Attributes:
        texts: each; one that is empty has nothing but spaces.
        classes: the number of the class of each.
    """

    texts: Sequence[str]
    classes: Sequence[int]

    def without_empty_ones(self) -> Labelled:
        """Those that are not empty.

        >>> Labelled(["a", " "], [0, 1]).without_empty_ones()
        Labelled(texts=['a'], classes=[0])
        """
        kept = [i for i, text in enumerate(self.texts) if text.strip()]
        return Labelled([self.texts[i] for i in kept], [self.classes[i] for i in kept])

    def chosen(self, places: Tensor) -> Labelled:
        """Those at some places."""
        return Labelled([self.texts[i] for i in places.tolist()], [self.classes[i] for i in places.tolist()])


def labelled_source(
    parts: Mapping[str, Labelled],
    class_names: tuple[str, ...],
    *,
    where: str,
    tokenizer_file: Path | None,
    length: int,
    split_seed: int,
    notes: Sequence[str],
    digest: str,
    reading: Mapping[str, Any],
) -> Source:
    """The source of texts with classes; those that are empty are left out and counted.

    Args:
        parts: `train`, `test` and perhaps `validation`, or `all`, of which a fifth of each class is tested on.
        class_names: in the order of their numbers.
        where: what is called by its name in messages.
        tokenizer_file: makes the tokens; None: the words of the training part do.
        length: tokens of each text.
        split_seed: decides which fifth is tested on.
        notes: what was said of them so far.
        digest: of the files.
        reading: what new files need beside the tokenizer and the length.

    Raises:
        DataError: a class has no text, there are too few texts, or the tokenizer cannot be read.
    """
    there = {name: part.without_empty_ones() for name, part in parts.items()}
    _check_classes(there, class_names, where)
    empty = sum(len(part.texts) for part in parts.values()) - sum(len(part.texts) for part in there.values())
    told = [*notes, *([f"{count(empty, 'empty text')} left out"] if empty else [])]
    if "all" in there:
        there = _split(there["all"], split_seed, where)
    tokenizer = Words.learned(there["train"].texts) if tokenizer_file is None else tokenizer_of(tokenizer_file)
    rows = {name: token_rows(part.texts, tokenizer, length) for name, part in there.items()}
    known = set(there["train"].texts)
    told += _told(tokenizer, tokenizer_file, rows, length)
    if again := sum(text in known for text in there["test"].texts):
        told.append(f"{again:,} of {count(len(there['test'].texts), 'test text')} are training texts too")

    tensors = {name: (rows[name][0], torch.tensor(there[name].classes, dtype=torch.int64)) for name in there}
    task = Binary() if len(class_names) == 2 else Classification(len(class_names))
    made_by = {"tokenizer": {"kind": tokenizer.kind, "document": tokenizer.document}, "length": length}
    return Source(
        *tensors["train"], *tensors["test"], task, class_names, validation=tensors.get("validation"),
        notes=tuple(told), digest=digest, vocabulary=tokenizer.vocabulary, reading={**made_by, **reading},
    )  # fmt: skip


def _check_classes(parts: Mapping[str, Labelled], class_names: Sequence[str], where: str) -> None:
    there = {number for part in parts.values() for number in part.classes}
    for number, name in enumerate(class_names):
        if number not in there:
            raise DataError(f"The class {name!r} of {where} has no text that is not empty; add some or take it out.")
    for name, part in parts.items():
        if not part.texts:
            raise DataError(f"The {name} part of {where} has no text that is not empty; add some.")


def _split(whole: Labelled, split_seed: int, where: str) -> dict[str, Labelled]:
    if len(whole.texts) < 5:
        raise DataError(
            f"{where} has {count(len(whole.texts), 'text')} with a class, too few to split off a test part; add more."
        )
    train, test = split_rows(torch.tensor(whole.classes), split_seed)
    return {"train": whole.chosen(train), "test": whole.chosen(test)}


def _told(
    tokenizer: TextTokenizer, file: Path | None, rows: Mapping[str, tuple[Tensor, int]], length: int
) -> Iterator[str]:
    """What became of the texts, in clauses."""
    if file is None:
        yield f"the {tokenizer.vocabulary - 2:,} words of two training texts or more"
    else:
        yield f"tokens of {file.name}"
    total = sum(len(tokens) for tokens, _ in rows.values())
    if cut := sum(cut for _, cut in rows.values()):
        yield f"{cut:,} of {count(total, 'text')} cut at {length} tokens"
    used = sum(int((tokens != 0).sum()) for tokens, _ in rows.values())
    if tokenizer.unknown is None:
        return
    if unknown := sum(int(tokens.eq(tokenizer.unknown).sum()) for tokens, _ in rows.values()):
        yield f"{100 * unknown / used:.2g} % of the tokens unknown words"
