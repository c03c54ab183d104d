"""A user's own table of texts and their classes, in a file of CSV or Parquet."""

from __future__ import annotations

import hashlib
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from samcli.data.base import DATASETS, DatasetKind, Source
from samcli.data.sources._labelled_texts import Labelled, labelled_source
from samcli.data.sources._path import OfPath, resolved_file
from samcli.data.sources._table_target import Target
from samcli.data.table_file import TableFile, file_digest, read_table
from samcli.data.tables import texts_of
from samcli.data.texts import longest_texts
from samcli.data.tokenizer_file import with_tokenizer
from samcli.errors import DataError, nearest
from samcli.registry import option
from samcli.words import count

if TYPE_CHECKING:
    import pandas as pd

CLASSES = ("label", "labels", "class", "target", "category", "sentiment")  # what people call the column of classes


@DATASETS.register("text-csv:")
@dataclass(frozen=True)
class TextCsv(OfPath, DatasetKind):
    """Classes of your own texts: a CSV, TSV or Parquet file with a column of texts and one of their classes.

    Each text becomes `length` tokens; docs/texts.md says which, and how columns are told. Without a test file a fifth
    of each class is tested on.
    """

    FORM: ClassVar[str] = "text-csv:FILE"
    ARGUMENT: ClassVar[str] = "FILE"
    title: ClassVar[str] = "the table of texts"
    is_images: ClassVar[bool] = False
    is_tokens: ClassVar[bool] = True
    default_model: ClassVar[str | None] = "text-encoder"

    argument: str
    _: KW_ONLY
    text: str | None = option(None, "name of the column of texts; null: that of the longest")
    target: str | None = option(
        None, "name of the column of classes; null: one called label, class or the like, else the last"
    )
    tokenizer: str | None = option(
        None, "a vocab.txt of WordPiece or a tokenizer.json; null: the words of the training part",
        canonical=resolved_file,
    )  # fmt: skip
    length: int = option(64, "tokens of each text; more are cut off", minimum=4, maximum=1_000_000)
    test: str | None = option(
        None, "file with the texts to test on; null: a fifth of the table", canonical=resolved_file
    )
    split_seed: int = option(0, "decides which fifth is the test part", minimum=0)

    def digest(self, data_dir: Path) -> str | None:
        return self._digest_of([file_digest(file) for file in self._files])

    def source(self, data_dir: Path) -> Source:
        tables = [read_table(self._files[0], expected=[name for name in (self.text, self.target) if name])]
        text, target = self._columns(tables[0].frame)
        tables += [read_table(file, expected=[text, target]) for file in self._files[1:]]
        notes = [*self._guesses(text, target), *tables[0].notes]
        columns = [self._filled(table, text, target, notes, i) for i, table in enumerate(tables)]
        whole = _joined([classes for _, classes in columns])
        found = Target.of(whole, target, "classification")
        found.check_repeats(len(whole))
        parts = [Labelled(texts, found.values(classes).astype(int).tolist()) for texts, classes in columns]
        source = labelled_source(
            {"all": parts[0]} if len(parts) == 1 else dict(zip(("train", "test"), parts, strict=True)),
            found.class_names,
            where=self.label,
            tokenizer_file=self._tokenizer_file,
            length=self.length,
            split_seed=self.split_seed,
            notes=notes,
            digest=self._digest_of([table.digest for table in tables]),
            reading={"text": text},
        )
        return replace(source, guessed=self._guessed(text, target))

    @property
    def _files(self) -> list[Path]:
        named = [self.argument] if self.test is None else [self.argument, self.test]
        return [Path(name).expanduser() for name in named]

    @property
    def _tokenizer_file(self) -> Path | None:
        return None if self.tokenizer is None else Path(self.tokenizer).expanduser()

    def _digest_of(self, digests: list[str]) -> str:
        one = digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(digests).encode()).hexdigest()
        return with_tokenizer(one, self._tokenizer_file)

    def _columns(self, frame: pd.DataFrame) -> tuple[str, str]:
        """The columns of texts and of classes."""
        names = [str(name) for name in frame.columns]
        for key, wanted in (("text", self.text), ("target", self.target)):
            if wanted is not None and wanted not in names:
                raise DataError(f"{self._files[0]} has no column {wanted!r}, which {key} names; "
                                f"{nearest(wanted, names)}")  # fmt: skip
        if len(names) < 2 or self.text == self.target is not None:
            raise DataError(
                f"{self._files[0]} needs a column of texts and another one of classes; name them with dataset.text "
                f"and dataset.target. It has {', '.join(names[:10])}."
            )
        text = self.text
        if text is None:
            text = longest_texts(frame.drop(columns=[name for name in names if name == self.target]))
        others = [name for name in names if name != text]
        target = self.target or next((name for name in others if name.lower() in CLASSES), others[-1])
        return text, target

    def _guesses(self, text: str, target: str) -> list[str]:
        """What nobody said of the columns, in a clause."""
        guessed = [f"texts from {text}"] * (self.text is None) + [f"classes from {target}"] * (self.target is None)
        return [" and ".join(guessed)] if guessed else []

    def _guessed(self, text: str, target: str) -> str:
        """The sentence on columns that nobody named."""
        taken = [f"texts are from {text}"] * (self.text is None) + [f"classes are from {target}"] * (
            self.target is None
        )
        flags = ["--set dataset.text=COLUMN"] * (self.text is None) + ["--set dataset.target=COLUMN"] * (
            self.target is None
        )
        if not taken:
            return ""
        whose = "columns" if len(taken) > 1 else "column"
        return f"{self.label}: nobody named the {whose}, so {' and '.join(taken)}; name another with {' '.join(flags)}"

    def _filled(
        self, table: TableFile, text: str, target: str, notes: list[str], number: int
    ) -> tuple[list[str], pd.Series[Any]]:
        """The texts of a file and their classes, in rows whose class is not missing."""
        names, file = [str(name) for name in table.frame.columns], self._files[number]
        for name in (text, target):
            if name not in names:
                raise DataError(f"{file} has no column {name!r}, as {self._files[0]} has; {nearest(name, names)}")
        is_there = texts_of(table.frame[target]) != ""
        if not is_there.any():
            raise DataError(f"{file} has no class in any row of {target!r}; name another column with dataset.target.")
        if left_out := int((~is_there).sum()):
            notes.append(f"{count(left_out, 'test row' if number else 'row')} without {target} left out")
        kept = table.frame.loc[is_there]
        return texts_of(kept[text]).tolist(), kept[target]


def _joined(columns: list[pd.Series[Any]]) -> pd.Series[Any]:
    """The values of one column after those of the other, whatever types Parquet gave them."""
    import pandas as pd

    if len({str(column.dtype) for column in columns}) > 1:
        columns = [column.astype(object) for column in columns]
    return pd.concat(columns, ignore_index=True)
