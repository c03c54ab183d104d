"""What the columns of a table are, told by the rows that are trained on: numbers, categories, or of no use."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from samcli.data.number_text import EXACT, MOSTLY, by_size, is_beyond_exact, is_date, is_day
from samcli.data.tables import numbers_of, texts_of
from samcli.errors import DataError
from samcli.words import count, some_of

if TYPE_CHECKING:
    import pandas as pd

MOST_CATEGORIES = 10_000
SAMPLE = 1000  # values that tell what a long column is not
LARGEST = 1e18  # as for all inputs: numbers beyond have no square in 32 bits


class Columns:
    """The columns of a table one after the other, with what is to be said of them.

    Attributes:
        used: what a reading says of each column that is used, see `samcli.data.tables`.

    Args:
        categorical: the names of columns whose numbers are categories.
    """

    def __init__(self, categorical: Collection[str]) -> None:
        self.used: list[dict[str, Any]] = []
        self._categorical = categorical
        self._dropped: dict[str, list[str]] = {}
        self._filled: list[str] = []
        self._mixed: list[str] = []

    def add(self, name: str, column: pd.Series[Any]) -> None:
        """Look at a column of the training part.

        Raises:
            DataError: it holds numbers that are too large.
        """
        import pandas as pd

        texts = texts_of(column)
        there = texts[texts != ""]
        if not len(there):
            self.drop(name, "empty")
        elif pd.api.types.is_datetime64_any_dtype(column.dtype) or _mostly(there, is_date):
            self.drop(name, "dates, which are no numbers")
        elif name in self._categorical:
            self._add_categories(name, texts_of(column, numeric=True), numeric=True)
        else:
            numbers = numbers_of(column)
            large = there[np.abs(numbers[texts != ""]) >= EXACT]
            beyond = next(filter(is_beyond_exact, large), None)
            is_number = ~np.isnan(numbers[texts != ""])
            if is_number.mean() >= MOSTLY and beyond is None and not pd.api.types.is_bool_dtype(column.dtype):
                return self._add_numbers(name, numbers, texts)
            if beyond is not None:
                self._mixed.append(f"{name}: {beyond} and others are too large for exact numbers, and read as texts")
            elif is_number.any() and not is_number.all():
                self._mixed.append(f"{name}: numbers among texts are categories too")
            self._add_categories(name, texts, numeric=False)
        return None

    def drop(self, name: str, reason: str) -> None:
        """Leave a column out, and have the notes say why."""
        self._dropped.setdefault(reason, []).append(name)

    def notes(self) -> list[str]:
        """What was done to the columns, in clauses."""
        dropped = [f"{some_of(names)} left out ({reason})" for reason, names in self._dropped.items()]
        return [*dropped, *_some(self._mixed), *_some(self._filled)]

    def _add_numbers(self, name: str, numbers: npt.NDArray[np.float64], texts: npt.NDArray[np.object_]) -> None:
        finite = np.isfinite(numbers)
        there = numbers[finite]
        if not len(there):
            return self.drop(name, "no finite number")
        if (huge := np.abs(there) > LARGEST).any():
            raise DataError(
                f"The column {name!r} holds {there[huge][0]:g}, and numbers beyond {LARGEST:g} have no square in 32 "
                "bits; scale it, or leave it out with dataset.drop."
            )
        if finite.all() and (there == there[0]).all():
            return self.drop(name, "the same in every row")
        if _mostly(texts[texts != ""], is_day) and len(np.unique(there)) > 1:
            return self.drop(name, "dates, which are no numbers")
        median = float(np.median(there))
        # 32 bits hold seven digits: where these are all alike, as in seconds since 1970, what differs would be lost
        is_far = np.abs(there).max() * np.finfo(np.float32).eps > 1e-3 * there.std()
        self.used.append(
            {
                "name": name,
                "kind": "number",
                "median": median,
                "centre": median if is_far else 0.0,
                "indicator": not finite.all(),
            }
        )
        self._tell_filled(name, numbers, texts, median)
        return None

    def _tell_filled(
        self, name: str, numbers: npt.NDArray[np.float64], texts: npt.NDArray[np.object_], median: float
    ) -> None:
        odd = np.isnan(numbers) & (texts != "")
        parts = [f"{int((texts == '').sum()):,} missing"] if (texts == "").any() else []
        if infinite := int(np.isinf(numbers).sum()):
            parts.append(f"{infinite:,} infinite")
        if odd.any():
            parts.append(f"{int(odd.sum()):,} that {'is' if odd.sum() == 1 else 'are'} no number ({texts[odd][0]!r})")
        if parts:
            self._filled.append(f"{name}: {' and '.join(parts)}, the median {median:g} and a column of 0 and 1 for it")

    def _add_categories(self, name: str, texts: npt.NDArray[np.object_], *, numeric: bool) -> None:
        there = texts[texts != ""]
        different = sorted(set(there), key=by_size)
        if len(different) == len(texts) > 1:
            return self.drop(name, "another in every row, as an identifier")
        if len(different) > MOST_CATEGORIES:
            return self.drop(name, f"more than {MOST_CATEGORIES:,} categories")
        if len(different) == 1 and len(there) == len(texts):
            return self.drop(name, "the same in every row")
        self.used.append({"name": name, "kind": "category", "categories": different, "numeric": numeric})
        if absent := len(texts) - len(there):
            self._filled.append(f"{name}: {absent:,} missing, a category of their own with all unknown ones")
        return None


def row_numbers(frame: pd.DataFrame) -> list[str]:
    """The columns that count the rows of a file from 0 or 1.

    >>> import pandas as pd
    >>> row_numbers(pd.DataFrame({"id": ["1", "2", "3"], "age": ["31", "32", "34"]}))
    ['id']
    """
    counted = []
    for name in frame.columns:
        numbers = numbers_of(frame[name].iloc[:100])
        if len(numbers) > 2 and _count_up(numbers) and _count_up(numbers_of(frame[name])):
            counted.append(str(name))
    return counted


def _count_up(numbers: npt.NDArray[np.float64]) -> bool:
    return numbers[0] in (0.0, 1.0) and np.array_equal(numbers, numbers[0] + np.arange(len(numbers)))


def _mostly(texts: npt.NDArray[np.object_], holds: Any, share: float = MOSTLY) -> bool:
    """Whether something holds for nine of ten texts, or another share."""
    import pandas as pd

    if len(texts) > 2 * SAMPLE and not _mostly(texts[:: len(texts) // SAMPLE][:SAMPLE], holds, 0.5):
        return False  # by far not
    codes, different = pd.factorize(texts)
    return bool(len(texts)) and float(np.array([holds(text) for text in different])[codes].mean()) >= share


def _some(clauses: Sequence[str]) -> list[str]:
    """The first clauses, and how many more there are."""
    more = [f"{count(len(clauses) - 5, 'other column')} likewise"] if len(clauses) > 6 else []
    return [*clauses[: 5 if more else 6], *more]
