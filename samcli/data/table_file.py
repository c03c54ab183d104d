"""A file that holds a table, as it is written: text, separator, header and fields."""

from __future__ import annotations

import csv
import functools
import hashlib
import importlib.util
import io
import os
import stat
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from samcli.data.number_text import MISSING, MOSTLY, number_text, share_of_numbers
from samcli.data.table_form import SEPARATORS, check_names, checked, separator_of
from samcli.data.table_text import decoded
from samcli.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class TableFile:
    """A table as it was written.

    Attributes:
        frame: a column for each name of the header. Of CSV all values are texts without spaces around them, or None
            where one is missing, and a number of a column of numbers is as Python writes it; Parquet has types.
        notes: how the file was read, where that is not plain, in clauses.
        digest: the SHA-256 of the file.
        form: how it was read, in plain values.
    """

    frame: pd.DataFrame
    notes: tuple[str, ...]
    digest: str
    form: dict[str, Any]


def file_digest(path: Path) -> str:
    """The SHA-256 of a file, 64 hexadecimal digits; it is computed once until the file changes.

    Raises:
        DataError: there is none, or it is no plain file.
    """
    try:
        state = path.stat()
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    return _digest(path, state.st_size, state.st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _digest(path: Path, size: int, modified: int) -> str:
    del size, modified  # they tell whether it is still the file that was read
    return hashlib.sha256(_bytes_of(path)).hexdigest()


def read_table(path: Path, expected: Collection[str] = ()) -> TableFile:
    r"""Read a table: `.parquet`, `.tsv` with tabs, and anything else as CSV, whose separator and encoding are told.

    Args:
        path: the file.
        expected: names of columns that it should have, which help to tell the separator.

    Raises:
        DataError: there is no such file, it is of another kind, empty or damaged; says where.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "small.csv")
    ...     _ = path.write_text("age;weight\n31;70,5\n?;81\n")
    ...     table = read_table(path)
    >>> table.frame.to_dict("list"), table.notes
    ({'age': ['31', None], 'weight': ['70.5', '81']}, ('separated by semicolons', 'with decimal commas'))
    """
    data = _bytes_of(path)
    digest = hashlib.sha256(data).hexdigest()
    if path.suffix.lower() in (".parquet", ".pq"):
        return TableFile(_parquet(path, data), (), digest, {"kind": "parquet"})
    text, encoding = decoded(data, path)
    text, separator = separator_of(text, path, expected)
    names, width, rows = checked(text, separator, path)
    frame = _texts(text, separator, names, width)
    if frame is None or len(frame) != rows:
        raise DataError(
            f"{path} has quotation marks that are not closed, or can be read in two ways; write it anew, with every "
            "such mark within a field doubled."
        )
    decimal = _decimal(frame, separator, path)
    for name in frame.columns:
        frame[name] = _with_plain_numbers(frame[name], decimal)
    notes = [f"read as {encoding}"] if encoding != "utf-8" else []
    if separator != ("\t" if path.suffix.lower() == ".tsv" else ","):
        notes.append(f"separated by {SEPARATORS[separator]}")
    if decimal == ",":
        notes.append("with decimal commas")
    if width > len(names):
        notes.append("its first column, which has no name, left out")
    form = {"kind": "csv", "separator": separator, "encoding": encoding, "decimal": decimal}
    return TableFile(frame, tuple(notes), digest, form)


def _bytes_of(path: Path) -> bytes:
    try:
        # a pipe that nobody writes to would be waited for
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        try:
            mode = os.fstat(descriptor).st_mode
            if stat.S_ISREG(mode):
                with open(descriptor, "rb", closefd=False) as file:
                    return file.read()
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    raise DataError(f"{path} is {'a folder' if stat.S_ISDIR(mode) else 'no plain file'}; give a table as csv:FILE.")


def _unreadable(path: Path, error: Exception) -> DataError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return DataError(f"There is no file {path}; name a table that is there.")
    if isinstance(error, IsADirectoryError):
        return DataError(f"{path} is a folder; give a table as csv:FILE.")
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return DataError(f"{path} cannot be read ({reason}); see to its permissions, or name another file.")


def _parquet(path: Path, data: bytes) -> pd.DataFrame:
    import pandas as pd

    if importlib.util.find_spec("pyarrow") is None:
        raise DataError(f"{path} is Parquet, which needs pyarrow; install it with: pip install 'samcli[parquet]'")
    try:
        frame = pd.read_parquet(io.BytesIO(data), engine="pyarrow")
    except Exception as error:  # whatever a damaged file leads the package to
        reason = str(error).partition("\n")[0].rstrip(".")
        raise DataError(f"{path} is no readable Parquet file ({reason}); write it anew.") from error
    frame.columns = frame.columns.map(str)
    check_names(list(frame.columns), path)
    return frame.reset_index(drop=True)


def _texts(text: str, separator: str, names: Sequence[str], width: int) -> pd.DataFrame | None:
    """All rows below the header that are not empty, as texts; None where quotation marks do not end."""
    import pandas as pd

    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    widest = max(map(len, reader))
    try:
        read = pd.read_csv(
            io.StringIO(text, newline=""), sep=separator, header=None, names=range(widest), dtype=object,
            na_filter=False, skipinitialspace=True, index_col=False,
        )  # fmt: skip
    except pd.errors.ParserError:
        return None
    kept = read.iloc[:, width - len(names) : width]
    cleaned = pd.DataFrame({i: _cleaned(read[i]) for i in read.columns})
    is_filled = (cleaned != "").any(axis=1)
    frame = cleaned[list(kept.columns)][is_filled].iloc[1:].reset_index(drop=True)
    frame.columns = pd.Index(names, dtype=object)
    return frame


def _cleaned(column: pd.Series[Any]) -> pd.Series[Any]:
    """The texts without spaces around them."""
    return _mapped(column, lambda text: text.strip() if isinstance(text, str) else "")


def _mapped(column: pd.Series[Any], change: Callable[[Any], str | None]) -> pd.Series[Any]:
    """A column of texts with each changed; what occurs often is changed once."""
    import numpy as np
    import pandas as pd

    codes, texts = pd.factorize(column.to_numpy(dtype=object), use_na_sentinel=False)
    changed = np.empty(len(texts), dtype=object)
    changed[:] = [change(text) for text in texts]
    return pd.Series(changed[codes], index=column.index, name=column.name, dtype=object)


def _decimal(frame: pd.DataFrame, separator: str, path: Path) -> str:
    """What stands before fractions in this file: each column that can be read in one way only tells."""
    voting: dict[str, str] = {}
    grouped = False
    for name in frame.columns:
        texts = [text for text in frame[name].iloc[:20_000].unique() if text not in MISSING][:2000]
        share = {decimal: share_of_numbers(texts, decimal) for decimal in ".,"}
        if max(share.values()) < MOSTLY:
            continue
        grouped = grouped or any("," in text for text in texts)
        if share["."] != share[","]:
            voting.setdefault(max(share, key=lambda decimal: share[decimal]), str(name))
    if len(voting) == 2:
        raise DataError(
            f"{path} has decimal points in the column {voting['.']!r} and decimal commas in {voting[',']!r}; write "
            "points in both."
        )
    if voting:
        return next(iter(voting))
    # 1,234 alone may be either: between semicolons and tabs it is a fraction, between commas it was quoted
    return "," if grouped and separator in ";\t" else "."


def _with_plain_numbers(column: pd.Series[Any], decimal: str) -> pd.Series[Any]:
    """The column with None for what is missing, and numbers as Python writes them if most are numbers."""
    import pandas as pd

    texts = [text for text in column.unique() if text not in MISSING]
    are_plain = decimal == "." and pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce").notna().all()
    if texts and not are_plain and share_of_numbers(texts, decimal) >= MOSTLY:
        return _mapped(column, lambda text: None if text in MISSING else number_text(text, decimal) or text)
    return _mapped(column, lambda text: None if text in MISSING else text)
