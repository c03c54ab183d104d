"""The numbers of a `metrics.csv`, all at once: for whoever reads thousands of them."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from pydantic_core import from_json

from samcli.runs.rows import COUNTS, bounds, from_csv, header_fault

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Values = NDArray[np.float64]

_EXACT = 2.0**53  # whole numbers below it are floats too


def values_of(text: str) -> tuple[list[str], Values]:
    r"""The column names and the values, a row for each epoch, NaN where nothing was measured.

    They are those of `samcli.runs.rows.from_csv`, which looks at each value by itself. Here the usual text, on which it
    finds no fault, is judged as a whole; any other is left to it.

    Raises:
        ValueError: as for `from_csv`.

    >>> from samcli.runs.rows import to_csv
    >>> names, values = values_of(to_csv([{"epoch": 1, "train_loss": 0.5}]))
    >>> names[:3], values[:, :3].tolist()
    (['epoch', 'train_loss', 'train_accuracy'], [[1.0, 0.5, nan]])
    """
    import numpy as np

    header, _, body = text.partition("\n")
    kinds = _kinds(header)
    if kinds and (values := _usual(body, kinds)) is not None:
        return list(kinds.names), values
    names, rows = from_csv(text)
    numbers = [[math.nan if (value := row[name]) is None else float(value) for name in names] for row in rows]
    return names, np.array(numbers).reshape(len(rows), len(names))


class _Kinds(NamedTuple):
    """What is known of the columns of a header."""

    names: tuple[str, ...]
    usual: re.Pattern[str]
    lowest: Values
    highest: Values
    epoch: int
    counts: tuple[int, ...]


@lru_cache(maxsize=64)
def _kinds(header: str) -> _Kinds | None:
    """What a header says of its columns; None if it is not the usual one."""
    import numpy as np

    names = header.split(",")
    if '"' in header or "\r" in header or header_fault(names):
        return None
    # empty fields and what numbers are written with: no quotes, no words, no infinity
    line = ",".join("[0-9]*" if name in COUNTS else "[0-9.e+-]*" for name in names)
    lowest, highest = np.array([bounds(name) for name in names]).T
    counts = tuple(names.index(name) for name in COUNTS)
    return _Kinds(tuple(names), re.compile(f"(?:{line}\n)*"), lowest, highest, names.index("epoch"), counts)


def _usual(body: str, kinds: _Kinds) -> Values | None:
    """The values, if they are numbers as a run records them, and None if they are to be looked at one by one."""
    import numpy as np

    if not kinds.usual.fullmatch(body):
        return None
    fields = f",{body}".replace("\n", ",").replace(",,", ",null,").replace(",,", ",null,")
    try:
        # the reader of JSON that comes with pydantic rounds as float() does, in a tenth of the time
        values = np.array(from_json(f"[{fields[1:-1]}]"), dtype=float).reshape(-1, len(kinds.names))
    except (ValueError, OverflowError):
        return None
    within = (values >= kinds.lowest) & (values <= kinds.highest) | np.isnan(values)
    if not within.all() or (values[:, kinds.epoch] != np.arange(1, len(values) + 1)).any():
        return None
    counts = values[:, kinds.counts]
    known = counts[:, ~np.isnan(counts).all(axis=0)]
    return values if (known < _EXACT).all() and (known[1:] >= known[:-1]).all() else None
