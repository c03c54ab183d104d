"""Texts as inputs: one function for the texts that are trained on and for those of any file that comes later.

What it does is written down in a *reading*, plain values that go into checkpoints::

    tokenizer: `kind` and `document`, see `samcli.data.text_tokens`
    length:    how many tokens each text has; more are cut off, and what is missing is padding, token 0
    text:      the name of the column of a table that holds the texts; null where each file was a text
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from samcli.data.table_file import read_table
from samcli.data.table_text import decoded
from samcli.data.tables import texts_of
from samcli.data.text_tokens import TextTokenizer, remade
from samcli.errors import DataError, nearest

if TYPE_CHECKING:
    import pandas as pd

Reading = Mapping[str, Any]

TABLES = (".csv", ".tsv", ".parquet", ".pq")


def inputs_of(texts: Sequence[str], reading: Reading) -> Tensor:
    """The inputs of a network, (N, T) int32, from texts, see `inputs_and_cut`.

    >>> inputs_of(["Film!"], {"tokenizer": {"kind": "words", "document": "film"}, "length": 3})
    tensor([[2, 1, 0]], dtype=torch.int32)
    """
    return inputs_and_cut(texts, reading)[0]


def inputs_and_cut(texts: Sequence[str], reading: Reading) -> tuple[Tensor, int]:
    """The inputs of a network, (N, T) int32, from texts, and how many of these were longer and cut off.

    Args:
        texts: any.
        reading: that of the training part, see the module.

    Raises:
        DataError: it is that of a language model, or its tokenizer needs a package that is not installed.

    >>> inputs_and_cut(["Film!", "A film!"], {"tokenizer": {"kind": "words", "document": "film"}, "length": 2})[1]
    1
    """
    if "length" not in reading:
        raise DataError("The network continues texts and has no classes of them; give it arrays of tokens in Python.")
    tokenizer = remade(str(reading["tokenizer"]["kind"]), str(reading["tokenizer"]["document"]))
    return token_rows(texts, tokenizer, int(reading["length"]))


def token_rows(texts: Sequence[str], tokenizer: TextTokenizer, length: int) -> tuple[Tensor, int]:
    """The tokens of texts, (N, length) int32, padded with 0, and how many texts were cut."""
    rows = np.zeros((len(texts), length), np.int32)
    cut = 0
    for row, text in zip(rows, texts, strict=True):
        found, is_cut = tokenizer.tokens(text, length)
        row[: len(found)] = found
        cut += is_cut
    return torch.from_numpy(rows), cut


def read_text(file: Path) -> tuple[str, str]:
    """The text of a file, and its encoding: by its mark, else UTF-8, else that of Windows in Western Europe.

    Raises:
        DataError: it cannot be read, or is no text.
    """
    try:
        content = file.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{file} cannot be read ({reason}); mend it or move it away.") from None
    return decoded(content, file, "a file of text")


def texts_in(file: Path, reading: Reading) -> list[tuple[int | None, str]]:
    """The texts in a file: of a table one for each row, with its number from 1, of any other file its whole text.

    Args:
        file: a table by its suffix, or a text.
        reading: says in which column the texts are; where it does not, they are in that of the longest.

    Raises:
        DataError: it cannot be read, or has no such column.
    """
    if file.suffix.lower() not in TABLES:
        return [(None, read_text(file)[0].strip())]
    name = reading.get("text")
    frame = read_table(file, expected=[] if name is None else [str(name)]).frame
    if name is None:
        name = longest_texts(frame)
    if name not in frame.columns:
        raise DataError(f"{file} has no column {name!r} of texts; {nearest(str(name), map(str, frame.columns))}")
    return list(enumerate(texts_of(frame[name]).tolist(), 1))


def longest_texts(frame: pd.DataFrame) -> str:
    """The name of the column whose texts are the longest on average, of several the first.

    >>> import pandas as pd
    >>> longest_texts(pd.DataFrame({"id": ["1", "2"], "said": ["good day", "night"]}))
    'said'
    """
    characters = {str(name): sum(len(text) for text in texts_of(column)) for name, column in frame.items()}
    return max(characters, key=lambda name: characters[name])
