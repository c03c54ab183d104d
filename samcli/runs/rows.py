"""The rows of `metrics.csv`: as text, and whether they can be what a run recorded."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from samcli.metrics import LOSSES, NEWER_COLUMNS, SCORES, columns, is_share, score_among, score_of

Value = float | int | None
EpochMetrics = dict[str, Value]  # a row of `metrics.csv`: the value of each column

_COUNTS = ("gradient_evaluations", "skipped_steps")  # so far: they never fall


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
    if not any(set(columns(score)) - set(NEWER_COLUMNS) <= set(header) for score in SCORES):
        raise ValueError("lacks columns that samcli writes")
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


def rows_fault(rows: Sequence[Mapping[str, Value]], names: Sequence[str] | None = None) -> str | None:
    """What shows that rows are not those that a run recorded, in words that follow "it"; None if nothing does.

    Epochs count from 1, an accuracy is between 0 and 1, losses are finite, times are not negative, counts do not fall,
    and there is one score.

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


def _faults(rows: Sequence[Mapping[str, Value]], names: Sequence[str]) -> Iterator[str]:
    if len(set(names)) < len(names):
        yield "has two columns of one name"
    scores = {score.name for name in names if (score := score_of(name))}
    if len(scores) > 1:
        yield f"has columns of two scores, {' and '.join(sorted(scores))}"
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
    if name in _COUNTS:
        yield from (value for value in values if not isinstance(value, int) or value < 0)
        yield from (after for before, after in pairwise(values) if after < before)
    elif is_share(name):
        yield from (value for value in values if not 0.0 <= value <= 1.0)
    elif name in LOSSES or score_of(name):
        yield from (value for value in values if not math.isfinite(value))
    elif name.endswith("_seconds") or name == "examples_per_second":
        yield from (value for value in values if not 0.0 <= value < math.inf)


def _text(value: Value) -> str:
    if value is None:
        return ""
    # float(): the repr of numpy's own floats names their type; repr is the shortest text that reads back bit for bit
    return str(int(value)) if isinstance(value, int) else repr(float(value))


def _number(text: str) -> Value:
    if not text:
        return None
    return int(text) if text.lstrip("-").isdecimal() else float(text)
