"""Which rows of a table are tested on: drawn, drawn by groups, or the latest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from samcli.data.split import TEST_SHARE, drawn_groups, latest_groups, stratified
from samcli.data.tables import numbers_of, texts_of
from samcli.errors import DataError
from samcli.streams import stream
from samcli.words import count

if TYPE_CHECKING:
    import pandas as pd

_FIGURES = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})[-/.][0-9]{2,4}\b.*")


def groups_of(column: pd.Series[Any]) -> tuple[Tensor, int]:
    """The number of the group of each row, (N,) int64, and how many rows name none; these are one group together.

    >>> import pandas as pd
    >>> groups_of(pd.Series(["anna", "bert", "anna", None]))
    (tensor([0, 1, 0, 2]), 1)
    """
    import pandas as pd

    texts = texts_of(column, numeric=True)
    return torch.from_numpy(pd.factorize(texts)[0].astype(np.int64)), int((texts == "").sum())


def ranks_of(column: pd.Series[Any], name: str) -> Tensor:
    """The place of each row in time, (N,) int64 from 0; rows of one time have one place.

    >>> import pandas as pd
    >>> ranks_of(pd.Series(["2024-02-01", "2023-12-31", "2024-02-01"]), "when")
    tensor([1, 0, 1])

    Raises:
        DataError: a value is no number and no date, or dates may be read in two ways.
    """
    times = _times(column, name)
    return torch.from_numpy(np.unique(times, return_inverse=True)[1].astype(np.int64).reshape(-1))


def split_rows(strata: Tensor, split_seed: int) -> tuple[Tensor, Tensor]:
    """The rows to train on and to test on: a fifth of each class, as for every data set without a test part.

    >>> train, test = split_rows(torch.arange(10) % 2, split_seed=0)
    >>> len(train), len(test)
    (8, 2)
    """
    test, train = stratified(strata, round(TEST_SHARE * len(strata)), stream(split_seed, "test"), both=True)
    return train, test


def split_by_groups(groups: Tensor, split_seed: int, name: str, notes: list[str]) -> tuple[Tensor, Tensor]:
    """The rows to train on and to test on, a fifth of them or nearly so; no group is in both.

    Raises:
        DataError: all rows are of one group.
    """
    if int(groups.max()) == 0:
        raise DataError(f"All rows have the same {name!r}; a split by groups needs two of them.")
    train, test = drawn_groups(groups, TEST_SHARE, stream(split_seed, "test"))
    tested = int((groups[test].bincount() > 0).sum())
    notes.append(f"{tested:,} of {count(int(groups.max()) + 1, 'group')} by {name} tested on")
    return train, test


def split_by_time(ranks: Tensor, name: str, notes: list[str]) -> tuple[Tensor, Tensor]:
    """The rows to train on and to test on: the latest fifth, or nearly so, for no time is in both.

    Raises:
        DataError: all rows are of one time.
    """
    if int(ranks.max()) == 0:
        raise DataError(f"All rows have the same {name!r}; a split by time needs two.")
    train, test = latest_groups(ranks, TEST_SHARE)
    notes.append(f"the latest {count(len(test), 'row')} by {name} tested on")
    return train, test


def _times(column: pd.Series[Any], name: str) -> npt.NDArray[Any]:
    import pandas as pd

    texts = texts_of(column)
    if (absent := int((texts == "").sum())) > 0:
        raise DataError(
            f"{count(absent, 'row')} without {name!r}, by which the table is to be split; fill in or take out."
        )
    numbers = numbers_of(column)
    if np.isfinite(numbers).all():
        return numbers
    if not pd.api.types.is_datetime64_any_dtype(column.dtype):
        column = pd.Series(texts, dtype=object)
    way = _way(texts, name)
    try:
        read = pd.to_datetime(column, utc=True, **way)
    except (ValueError, TypeError, OverflowError):
        odd = pd.to_datetime(column, utc=True, errors="coerce", **way).isna().to_numpy()
        shown = texts[odd if odd.any() else ~np.isfinite(numbers)][0]
        raise DataError(
            f"The column {name!r} holds what is no number and no date, such as {shown!r:.60}; write dates as in "
            "2024-02-29."
        ) from None
    return read.to_numpy(dtype="datetime64[ns]").astype(np.int64)


def _way(texts: Sequence[str] | npt.NDArray[np.object_], name: str) -> dict[str, Any]:
    """How dates are to be read: as in 2024-02-29, or with the day or the month first, whichever fits all of them."""
    figures = [match for text in texts if (match := _FIGURES.fullmatch(text))]
    if not figures:
        return {"format": "ISO8601"} if any(text[:4].isdecimal() for text in texts[:1]) else {"format": "mixed"}
    if year_first := next((text for text in texts if text[:4].isdecimal()), None):  # pandas turns these round as well
        raise DataError(
            f"Some dates in {name!r} are written as {year_first!r:.40} and others as {figures[0][0]!r:.40}; write all "
            "as in 2024-02-29."
        )
    first, second = (max(int(match[place]) for match in figures) for place in (1, 3))
    if first <= 12 and second <= 12 and figures[0][2] != ".":
        raise DataError(
            f"Of the dates in {name!r}, such as {figures[0][0]}, it cannot be told whether the day or the month comes "
            "first; write them as in 2024-02-29."
        )
    return {"format": "mixed", "dayfirst": first > 12 or figures[0][2] == "."}
