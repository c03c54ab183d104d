"""The column of a table that is predicted: classes or a number, guessed where nobody says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from samcli.data.number_text import MOSTLY, by_size, is_beyond_exact, number_text
from samcli.data.tables import numbers_of, texts_of
from samcli.errors import DataError
from samcli.tasks import Binary, Classification, Regression, Task

if TYPE_CHECKING:
    import pandas as pd

FEW = 20  # whole numbers of which no more are different are taken for classes
MOST_CLASSES = 1000
LARGEST = 1e18  # as for inputs


@dataclass(frozen=True)
class Target:
    """What is predicted of a table.

    Attributes:
        name: of its column.
        class_names: in the order of their numbers; empty for a regression.
        guess: why it is taken for classes or for a number, as a clause; empty where the task was given.
    """

    name: str
    class_names: tuple[str, ...]
    guess: str

    @staticmethod
    def of(column: pd.Series[Any], name: str, task: str | None) -> Target:
        """Look at all values of the column, none of which is missing.

        Raises:
            DataError: nothing can be learnt of it, or it is not of this task.
        """
        texts = texts_of(column, numeric=True)
        numbers = numbers_of(column)
        guess = ""
        if task is None:
            task, guess = _guessed(column, name, texts, numbers)
        if task == "regression":
            if not np.isfinite(numbers).all():
                odd = texts[~np.isfinite(numbers)][0]
                raise DataError(f"The target {name!r} holds {odd!r}, which no regression can predict; mend that row, "
                                "or set dataset.task to classification.")  # fmt: skip
            if (huge := np.abs(numbers) > LARGEST).any():
                raise DataError(f"The target {name!r} holds {numbers[huge][0]:g}, and numbers beyond {LARGEST:g} have "
                                "no square in 32 bits; scale it.")  # fmt: skip
            if (numbers == numbers[0]).all():
                raise DataError(f"The target {name!r} is {numbers[0]:g} in every row; there is nothing to predict.")
            return Target(name, (), guess)
        exact = texts_of(column) if any(map(is_beyond_exact, texts_of(column))) else texts
        names = sorted(set(exact), key=by_size)
        if len(names) == 1:
            raise DataError(f"The target {name!r} is {names[0]!r} in every row; two classes are needed.")
        if len(names) > MOST_CLASSES:
            raise DataError(
                f"The target {name!r} has {len(names):,} different values in {len(texts):,} rows, too many for classes "
                f"(at most {MOST_CLASSES:,}); if it is an identifier, name another column with --set "
                "dataset.target=COLUMN, if it is a number, set dataset.task to regression."
            )
        return Target(name, tuple(names), guess)

    def check_repeats(self, rows: int) -> None:
        """Refuse classes of one row each, of which no test part has any that was trained on.

        Raises:
            DataError: they are.

        >>> Target("note", ("a", "b"), "its values are texts").check_repeats(rows=3)
        """
        if len(self.class_names) == rows:
            raise DataError(
                f"The target {self.name!r} has another value in every row, as an identifier has, and no class can be "
                "learnt of one row; name the column to predict with --set dataset.target=COLUMN, or if it is a number, "
                "set dataset.task to regression."
            )

    def task(self, mean: float = 0.0, std: float = 1.0) -> Task:
        """What is predicted; a number with the mean and the spread that it was standardised by."""
        if not self.class_names:
            return Regression(mean=mean, std=std)
        return Binary() if len(self.class_names) == 2 else Classification(len(self.class_names))

    def values(self, column: pd.Series[Any]) -> npt.NDArray[np.float64]:
        """The numbers to predict, in 64 bits, or those of the classes."""
        if not self.class_names:
            return numbers_of(column)
        place = {name: float(number) for number, name in enumerate(self.class_names)}
        plain, alike = texts_of(column), texts_of(column, numeric=True)
        return np.array([place.get(text, place.get(other, -1.0)) for text, other in zip(alike, plain, strict=True)])


def _guessed(
    column: pd.Series[Any], name: str, texts: npt.NDArray[np.object_], numbers: npt.NDArray[np.float64]
) -> tuple[str, str]:
    """The task, and why."""
    import pandas as pd

    if pd.api.types.is_bool_dtype(column.dtype):
        return "classification", "its values are true or false"
    share = np.mean([number_text(text) is not None for text in texts])
    different = len(set(texts))
    if share < 1.0:
        if share >= MOSTLY and different > FEW:
            odd = next(text for text in texts if number_text(text) is None)
            raise DataError(
                f"The target {name!r} holds numbers, and {odd!r}; mend that row for a regression, or set dataset.task "
                "to classification."
            )
        return "classification", "its values are texts"
    if different <= FEW and (np.isfinite(numbers) & (numbers == np.floor(numbers))).all():
        return "classification", f"it holds {different} whole numbers"
    return "regression", f"it holds {different:,} different numbers"


def standardised(train: npt.NDArray[np.float64], test: npt.NDArray[np.float64]) -> tuple[Tensor, Tensor, float, float]:
    """Targets of mean 0 and spread 1 by the training part, with its mean and spread.

    >>> train, test, mean, std = standardised(np.array([1.0, 3.0]), np.array([5.0]))
    >>> train.tolist(), test.tolist(), mean, std
    ([-1.0, 1.0], [3.0], 2.0, 1.0)
    """
    mean, std = float(train.mean()), float(train.std())
    if std == 0.0:
        std = 1.0  # all alike, which is refused with a sentence where the parts are looked at
    return *(torch.from_numpy((part - mean) / std).float() for part in (train, test)), mean, std  # type: ignore[return-value]
