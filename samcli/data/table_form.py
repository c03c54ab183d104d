"""The form of a table of text: what stands between its fields, its header, and whether its rows are whole."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from samcli.data.number_text import MOSTLY, number_text
from samcli.errors import DataError
from samcli.words import count

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
SAMPLE = 2**16  # characters that a separator is told by


def separator_of(text: str, path: Path, expected: Collection[str]) -> tuple[str, str]:
    """What stands between the fields, and the text without a line that says so.

    It is that which gives most rows as many fields as the header; among several, that with most fields.
    """
    first, _, rest = text.partition("\n")
    if first.strip()[:4].lower() == "sep=" and first.strip()[4:] in SEPARATORS:  # for Excel
        return rest, first.strip()[4:]
    if path.suffix.lower() == ".tsv":
        return text, "\t"
    best: tuple[Any, ...] = (0, False, 1, 0.0)
    found = ","
    for separator in SEPARATORS:
        rows = _sample(text, separator)
        if not rows:
            continue
        fields = len(rows[0])
        alike = sum(len(row) == fields for row in rows) / len(rows)
        known = sum(name.strip() in expected for name in rows[0])
        score = (known, alike >= MOSTLY, fields, alike)
        if fields > 1 and score > best:
            best, found = score, separator
    return text, found


def _sample(text: str, separator: str) -> list[list[str]]:
    """The first rows, without one that the sample cuts."""
    sample = io.StringIO(text[:SAMPLE], newline="")
    try:
        rows = [
            row for row in csv.reader(sample, delimiter=separator, skipinitialspace=True) if any(map(str.strip, row))
        ]
    except csv.Error:  # a field of more than a hundred thousand characters: another separator is meant
        return []
    return rows[:-1] if len(text) > SAMPLE and len(rows) > 1 else rows


def checked(text: str, separator: str, path: Path) -> tuple[list[str], int, int]:
    """The names of the columns, the number of fields that a row has, and the number of rows.

    Raises:
        DataError: there are none, or rows of other lengths.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    filled = ((reader.line_num, row) for row in reader if any(map(str.strip, row)))
    try:
        _, header = next(filled, (0, None))
        if header is None:
            raise DataError(
                f"{path} is empty; a table has a line with the names of its columns, and a line for each row."
            )
        lengths = [(line, len(row), _filled(row)) for line, row in filled]
    except csv.Error as error:
        raise DataError(
            f"{path}, line {reader.line_num}: {error}; perhaps a quotation mark before it is never closed."
        ) from error
    if not lengths:
        raise DataError(f"{path} has a line with the names of columns, and no rows below it; add some.")
    names = [name.strip() for name in header]
    widest = max(filled for _, _, filled in lengths)
    while len(names) > 1 and not names[-1] and widest < len(names):
        names.pop()  # a separator at the end of every line
    names = [name or f"column {number}" for number, name in enumerate(names, 1)]
    # R writes the names of rows without a name for their column
    has_row_names = widest == len(header) + 1 and all(fields == widest for _, fields, _ in lengths)
    width = len(names) + has_row_names
    _check_lengths(lengths, width, path)
    _check_header(names, path)
    return names, width, len(lengths)


def _filled(row: Sequence[str]) -> int:
    """The number of fields up to the last that holds anything."""
    return max((i for i, field in enumerate(row, 1) if field.strip()), default=0)


def _check_lengths(lengths: Sequence[tuple[int, int, int]], width: int, path: Path) -> None:
    # what is too much may be empty, what is too little may not
    wrong = [(line, fields) for line, fields, filled in lengths if fields < width or filled > width]
    if wrong:
        line, fields = wrong[0]
        more = f", and {count(len(wrong) - 1, 'other row')} neither" if len(wrong) > 1 else ""
        raise DataError(
            f"{path}, line {line}: the row has {count(fields, 'field')}, and the table {count(width, 'column')}{more}; "
            "put quotation marks around fields that hold a separator or a line break."
        )


def _check_header(names: Sequence[str], path: Path) -> None:
    """Refuse a first row that is one of data; whole numbers in their order may be the names of pixels."""
    check_names(names, path)
    numbers = [name for name in names if number_text(name) is not None]
    if not numbers or 2 * len(numbers) < len(names) or (len(numbers) > 1 and _count_up(numbers)):
        return
    first = ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
    raise DataError(
        f"The first line of {path} looks like data ({first}); put a line with the names of the columns before it."
    )


def _count_up(names: Sequence[str]) -> bool:
    return all(map(str.isdecimal, names)) and all(int(b) == int(a) + 1 for a, b in itertools.pairwise(names))


def check_names(names: Sequence[str], path: Path) -> None:
    for number, name in enumerate(names, 1):
        if name in names[: number - 1]:
            first = names.index(name) + 1
            raise DataError(
                f"{path} has two columns named {name!r}, the {first}. and the {number}.; rename one of them."
            )
