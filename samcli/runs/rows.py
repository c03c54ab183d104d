"""The rows of `metrics.csv`: as text, and whether they can be what a run recorded."""

from __future__ import annotations

import csv
import io
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from samcli.metrics import LOSSES, NEWER_COLUMNS, columns, is_share, score_among, score_of, task_scores

Value = float | int | None
EpochMetrics = dict[str, Value]  # a row of `metrics.csv`: the value of each column

COUNTS = ("gradient_evaluations", "skipped_steps")  # so far: they never fall
_MOST = 2**63 - 1  # a whole number beyond it counts nothing, and is read as a float


def to_csv(rows: Sequence[Mapping[str, Value]]) -> str:
    r"""The text of `metrics.csv`.

    First come the columns of the score that a row has, see `samcli.metrics.columns`, then those of further measures, in
    the order in which the rows have them. A value that is None, or whose key is left out, becomes an empty field: not
    measured, never zero.

    >>> to_csv([{"epoch": 1, "train_loss": 0.5}]).partition("\n")[2][:8]
    '1,0.5,,,'
    """
    keys = dict.fromkeys(key for row in rows for key in row)
    names = list(dict.fromkeys([*columns(score_among(keys).name), *keys]))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _text(value) for name, value in row.items()})
    return text.getvalue()


def from_csv(text: str) -> tuple[list[str], list[EpochMetrics]]:
    r"""The column names and the rows of a text, equal to those written, floats bit for bit; None where empty.

    Raises:
        ValueError: it lacks a column, has a torn row, something other than a number, or numbers that no run records;
            the message follows the name of the file.

    >>> names, rows = from_csv(to_csv([{"epoch": 1, "train_loss": 0.5}]))
    >>> names[:2], rows[0]["train_loss"], rows[0]["test_loss"]
    (['epoch', 'train_loss'], 0.5, None)
    """
    try:
        header, *lines = list(csv.reader(io.StringIO(text))) or [[]]
    except csv.Error:
        raise ValueError("is no table") from None
    if fault := header_fault(header):
        raise ValueError(fault)
    try:
        # Python's own numbers are wider than those that are written: 1_000, and digits of other scripts
        if "_" in (body := text.partition("\n")[2]) or not body.isascii():
            raise ValueError
        rows = [dict(zip(header, map(_number, line), strict=True)) for line in lines]
    except ValueError:
        raise ValueError("holds a torn row or something other than a number") from None
    if fault := rows_fault(rows, header):
        raise ValueError(fault)
    return header, rows


def header_fault(names: Sequence[str]) -> str | None:
    """What shows that columns are not those of a run, in words that follow "it"; None if nothing does.

    >>> header_fault(["epoch", "loss"])
    'lacks columns that samcli writes'
    """
    if not any(set(columns(score)) - set(NEWER_COLUMNS) <= set(names) for score in task_scores()):
        return "lacks columns that samcli writes"
    return next(_faults_of_names(names), None)


def rows_fault(rows: Sequence[Mapping[str, Value]], names: Sequence[str] | None = None) -> str | None:
    """What shows that rows are not those that a run recorded, in words that follow "it"; None if nothing does.

    Epochs count from 1, an accuracy is between 0 and 1, losses are finite, times are not negative, counts do not fall,
    and there is one score beside those on request.

    Args:
        rows: a row for each epoch.
        names: of the columns; those of the rows if left out.

    >>> rows_fault([{"epoch": 1, "test_accuracy": 0.5}, {"epoch": 2, "test_accuracy": 5.0}])
    'has an impossible test_accuracy, 5.0'
    >>> rows_fault([{"epoch": 2}])
    'has the epochs 2 where they should count from 1 to 1'
    """
    names = list(dict.fromkeys(key for row in rows for key in row)) if names is None else names
    return next(_faults(rows, names), None)


def _faults_of_names(names: Sequence[str]) -> Iterator[str]:
    if len(set(names)) < len(names):
        yield "has two columns of one name"
    scores = {score.name for name in names if (score := score_of(name)) and score.name in task_scores()}
    if len(scores) > 1:
        yield f"has columns of two scores, {' and '.join(sorted(scores))}"


def _faults(rows: Sequence[Mapping[str, Value]], names: Sequence[str]) -> Iterator[str]:
    yield from _faults_of_names(names)
    epochs = [row.get("epoch") for row in rows]
    if epochs != list(range(1, len(rows) + 1)):
        shown = ", ".join(map(str, epochs[:5])) + (", ..." if len(epochs) > 5 else "")
        yield f"has the epochs {shown} where they should count from 1 to {len(rows)}"
    for name in names:
        values = [value for row in rows if (value := row.get(name)) is not None]
        if (odd := next(_impossible(name, values), None)) is not None:
            yield f"has an impossible {name}, {odd}"


def _impossible(name: str, values: Sequence[float | int]) -> Iterator[float | int]:
    """The values that a column cannot have."""
    low, high = bounds(name)
    if name in COUNTS:
        yield from (value for value in values if not isinstance(value, int) or not low <= value <= high)
        yield from (after for before, after in pairwise(values) if after < before)
    elif (low, high) != _ANY:
        yield from (value for value in values if not low <= value <= high)


_ANY = (-math.inf, math.inf)
_LARGEST = sys.float_info.max


def bounds(column: str) -> tuple[float, float]:
    """The least and the largest value that a column can have; a value that is not a number is within the widest alone.

    >>> bounds("test_accuracy"), bounds("sharpness")
    ((0.0, 1.0), (-inf, inf))
    """
    if is_share(column):
        return 0.0, 1.0
    if column in LOSSES or score_of(column):
        return -_LARGEST, _LARGEST
    if column in COUNTS or column.endswith("_seconds") or column == "examples_per_second":
        return 0.0, _LARGEST
    return _ANY


def _text(value: Value) -> str:
    if value is None:
        return ""
    # float(): the repr of numpy's own floats names their type; repr is the shortest text that reads back bit for bit
    return str(int(value)) if isinstance(value, int) else repr(float(value))


def _number(text: str) -> Value:
    if not text:
        return None
    if text.lstrip("-").isdecimal() and abs(number := int(text)) <= _MOST:
        return number
    return float(text)
