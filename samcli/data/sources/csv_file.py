"""A user's own table, in a file of CSV or Parquet."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from samcli.data.base import DATASETS, DatasetKind, Source
from samcli.data.sources._path import OfPath, is_file_of, resolved_file
from samcli.data.sources._table_columns import Columns, row_numbers
from samcli.data.sources._table_split import groups_of, ranks_of, split_by_groups, split_by_time, split_rows
from samcli.data.sources._table_target import Target, standardised
from samcli.data.table_file import file_digest, read_table
from samcli.data.tables import categories_of, inputs_of, surprises, texts_of
from samcli.errors import ConfigError, DataError, nearest
from samcli.registry import option
from samcli.words import count

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".csv", ".tsv", ".parquet", ".pq")


@DATASETS.register("csv:")
@dataclass(frozen=True)
class CsvFile(OfPath, DatasetKind):
    """Your own table: a CSV, TSV or Parquet file whose first line names the columns; the last is predicted.

    Texts become categories, numbers are standardised, and what is missing is filled in; docs/tables.md says how, and
    what is left out. Without a test file a fifth of the rows is tested on.
    """

    FORM: ClassVar[str] = "csv:FILE"
    ARGUMENT: ClassVar[str] = "FILE"
    title: ClassVar[str] = "the table"
    is_images: ClassVar[bool] = False
    is_regression: ClassVar[bool | None] = None

    argument: str
    _: KW_ONLY
    target: str | None = option(None, "name of the column to predict; null: the last one")
    task: str | None = option(
        None, "whether classes or a number are predicted; null: told by the values",
        choices=(None, "classification", "regression"),
    )  # fmt: skip
    columns: tuple[str, ...] = option((), "names of the only columns to predict from; none: all that can be used")
    drop: tuple[str, ...] = option((), "names of columns to leave out")
    categorical: tuple[str, ...] = option((), "names of columns whose numbers are categories")
    test: str | None = option(
        None, "file with the rows to test on; null: a fifth of the table", canonical=resolved_file
    )
    group: str | None = option(None, "name of a column; rows alike in it are never in two parts")
    time: str | None = option(None, "name of a column; the rows that are the latest by it are tested on")
    split_seed: int = option(0, "decides which fifth is the test part", minimum=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.label_noise and self.task == "regression":
            raise ConfigError("label_noise draws classes and a regression has none; leave label_noise out.")
        if self.group is not None and self.time is not None:
            raise ConfigError("A table is split by group or by time, not by both; leave one of them out.")
        if self.columns and self.drop:
            raise ConfigError("columns names all that is used, so there is nothing to drop; leave one of them out.")

    @staticmethod
    def serves(name: str) -> bool:
        """Whether this is the file of a table."""
        return is_file_of(name, SUFFIXES)

    def digest(self, data_dir: Path) -> str | None:
        return _digest_of([file_digest(file) for file in self._files])

    def source(self, data_dir: Path) -> Source:
        table = read_table(self._files[0])
        frame, notes = table.frame, list(table.notes)
        target_name = self._target(frame)
        counted = row_numbers(frame)
        frame = _with_target(frame, target_name, notes, "")
        tested, digest = None, table.digest
        if self.test is not None:
            other = read_table(self._files[1], expected=list(frame.columns))
            tested = self._same_columns(_with_target(other.frame, target_name, notes, "test "), frame)
            digest = _digest_of([digest, other.digest])
        whole = frame if tested is None else _below(frame, tested)
        with self._named(target_name):
            target = Target.of(whole[target_name], target_name, self.task)
        notes = [*self._guesses(target), *notes]
        values = torch.from_numpy(target.values(whole[target_name]))
        groups = self._groups(whole, notes)
        if tested is None:
            train, test = self._split(values.long() if target.class_names else values, groups, notes)
        else:
            train, test = torch.arange(len(frame)), torch.arange(len(frame), len(whole))
            self._check_apart(groups, train, test)

        columns = Columns(self.categorical)
        for name in self._inputs(frame, target_name):
            if name in counted and name not in self.columns:
                columns.drop(name, "counts the rows")
            else:
                columns.add(name, whole[name].iloc[train.numpy()])
        reading = {"columns": columns.used, "target": target_name, "file": table.form}
        if not columns.used:
            why = "; ".join(columns.notes()) or "columns stand between commas, semicolons, tabs or bars"
            raise DataError(f"{self._files[0]} has no column to predict {target_name!r} from ({why}).")
        with self._named(target_name):
            target.check_repeats(len(whole))
        rows, test_rows = whole.iloc[train.numpy()], whole.iloc[test.numpy()]
        notes += [*columns.notes(), *(f"in the test part {clause}" for clause in surprises(test_rows, reading))]
        if target.class_names:
            targets, test_targets, task = values[train].long(), values[test].long(), target.task()
        else:
            targets, test_targets, mean, std = standardised(values[train].numpy(), values[test].numpy())
            task = target.task(mean, std)
        return Source(
            inputs_of(rows, reading), targets, inputs_of(test_rows, reading), test_targets, task, target.class_names,
            notes=tuple(notes), guessed=self._guessed(target), digest=digest, categories=categories_of(reading),
            reading=reading, groups=None if groups is None else groups[train], are_in_order=self.time is not None,
        )  # fmt: skip

    @property
    def _files(self) -> list[Path]:
        named = [self.argument] if self.test is None else [self.argument, self.test]
        return [Path(name).expanduser() for name in named]

    def _target(self, frame: pd.DataFrame) -> str:
        """The column that is predicted; names of others are looked at, too."""
        names = [str(name) for name in frame.columns]
        given = {"target": [self.target], "group": [self.group], "time": [self.time]}
        given |= {"columns": list(self.columns), "drop": list(self.drop), "categorical": list(self.categorical)}
        for key, wanted in given.items():
            for name in wanted:
                if name is not None and name not in names:
                    raise DataError(
                        f"{self._files[0]} has no column {name!r}, which {key} names; {nearest(name, names)}"
                    )
        if self.target is not None:
            return self.target
        left = [name for name in names if name not in (self.group, self.time, *self.drop, *self.columns)]
        if not left:
            raise DataError(f"Every column of {self._files[0]} is used; say with dataset.target which one to predict.")
        return left[-1]

    @contextmanager
    def _named(self, target: str) -> Iterator[None]:
        """Have a refusal of a target say that nobody named it, if so."""
        try:
            yield
        except DataError as error:
            if self.target is not None:
                raise
            said = f"{target} is the last column of {self.label}, and nobody named another"
            raise DataError(f"{error} ({said}.)") from None

    def _guesses(self, target: Target) -> list[str]:
        """What nobody said of the target, in a clause."""
        if self.target is not None and not target.guess:
            return []
        which = target.name if self.target is not None else f"{target.name}, the last column,"
        how = f" as {'classes' if target.class_names else 'a number'} ({target.guess})" if target.guess else ""
        return [f"predicts {which}{how}".rstrip(",")]

    def _guessed(self, target: Target) -> str:
        """The sentence on a target that nobody named."""
        if self.target is not None:
            return ""
        which = f"nobody named a target, so {target.name}, the last column, is predicted"
        return f"{self.label}: {which}; name another with --set dataset.target=COLUMN"

    def _inputs(self, frame: pd.DataFrame, target: str) -> list[str]:
        """The columns that may be used, in their order."""
        apart = {target, self.group, self.time, *self.drop}
        if self.columns:
            if both := [name for name in self.columns if name in apart]:
                raise DataError(f"columns names {both[0]!r}, which is the target, the group or the time; take it out.")
            return [name for name in frame.columns if name in self.columns]
        return [name for name in frame.columns if name not in apart]

    def _same_columns(self, tested: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
        """The test rows, with the columns of the others in their order."""
        for name in frame.columns:
            if name not in tested.columns and name not in self.drop:
                raise DataError(
                    f"{self._files[1]} has no column {name!r}, as {self._files[0]} has; "
                    f"{nearest(str(name), map(str, tested.columns))}"
                )
        return tested.reindex(columns=frame.columns)

    def _split(self, strata: Tensor, groups: Tensor | None, notes: list[str]) -> tuple[Tensor, Tensor]:
        """The rows to train on and to test on."""
        if len(strata) < 5:
            raise DataError(
                f"{self._files[0]} has {count(len(strata), 'row')} with a target, too few to split off a test part; "
                "add more."
            )
        if groups is None:
            return split_rows(strata, self.split_seed)
        if self.time is None:
            return split_by_groups(groups, self.split_seed, str(self.group), notes)
        return split_by_time(groups, self.time, notes)

    def _check_apart(self, groups: Tensor | None, train: Tensor, test: Tensor) -> None:
        """Refuse two files that have a group in common."""
        if self.group is None or groups is None:
            return
        if both := int(torch.isin(groups[test], groups[train]).sum()):
            raise DataError(
                f"{count(both, 'row')} of {self._files[1]} have a {self.group!r} that {self._files[0]} has, too; take "
                "them out of one of the files."
            )

    def _groups(self, frame: pd.DataFrame, notes: list[str]) -> Tensor | None:
        """The group or the time of each row, where there is such a column."""
        if self.time is not None:
            return ranks_of(frame[self.time], self.time)
        if self.group is None:
            return None
        groups, nameless = groups_of(frame[self.group])
        if nameless:
            notes.append(f"{count(nameless, 'row')} without {self.group} taken for one group")
        return groups


def _digest_of(digests: Sequence[str]) -> str:
    """That of the one file, or of the digests of several."""
    return digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(digests).encode()).hexdigest()


def _with_target(frame: pd.DataFrame, target: str, notes: list[str], part: str) -> pd.DataFrame:
    """The rows whose target is not missing."""
    if target not in frame.columns:
        raise DataError(f"The test file has no column {target!r}; {nearest(target, map(str, frame.columns))}")
    there = texts_of(frame[target]) != ""
    if not there.any():
        raise DataError(f"The target {target!r} is missing in every {part}row; name another with dataset.target.")
    if not there.all():
        notes.append(f"{count(int((~there).sum()), f'{part}row')} without {target} left out")
    kept: pd.DataFrame = frame.loc[there].reset_index(drop=True)
    return kept


def _below(frame: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """The rows of one table and then those of the other, whatever types Parquet gave them."""
    import pandas as pd

    if all(frame[name].dtype == other[name].dtype for name in frame.columns):
        return pd.concat([frame, other], ignore_index=True)
    return pd.concat([frame.astype(object), other.astype(object)], ignore_index=True)
