"""Tables as inputs: one function for the rows that are trained on and for those of any file that comes later.

What it does is written down in a *reading*, plain values that go into checkpoints::

    columns:   for each column that is used, in order, its name and what it is:
               kind "number": `median`, that of the training part, which stands for what is missing; `centre`, which
               is subtracted before the numbers become 32 bits wide; `indicator`, whether a further column at the end
               says where one was missing
               kind "category": `categories`, those of the training part in the order of their codes from 1; code 0 is
               any other and what is missing; `numeric`, whether they are numbers
    target:    the name of the column that is predicted
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from samcli.data.number_text import MISSING, number_text
from samcli.errors import DataError, nearest
from samcli.words import count

if TYPE_CHECKING:
    import pandas as pd

Reading = Mapping[str, Any]


def inputs_of(frame: pd.DataFrame, reading: Reading) -> Tensor:
    """The inputs of a network, (N, F) float32, from the rows of a table; columns that it does not need may be there.

    Args:
        frame: with texts, as `read_table` has them, or with the types that pandas gives.
        reading: that of the training part, see the module.

    Raises:
        DataError: a column is not there.

    >>> import pandas as pd
    >>> age = {"name": "age", "kind": "number", "median": 40.0, "centre": 0.0, "indicator": True}
    >>> city = {"name": "city", "kind": "category", "categories": ["Bonn", "Rome"], "numeric": False}
    >>> frame = pd.DataFrame({"city": ["Rome", "Oslo"], "age": ["31", None]})
    >>> inputs_of(frame, {"columns": [age, city]})
    tensor([[31.,  2.,  0.],
            [40.,  0.,  1.]])
    """
    values: list[npt.NDArray[np.float64]] = []
    missing: list[npt.NDArray[np.float64]] = []
    for column in reading["columns"]:
        series = _column(frame, column["name"])
        if column["kind"] == "category":
            codes = {category: code for code, category in enumerate(column["categories"], 1)}
            texts = texts_of(series, numeric=column["numeric"])
            values.append(_each(texts, lambda text, codes=codes: codes.get(text, 0)))
            continue
        numbers = numbers_of(series)
        absent = ~np.isfinite(numbers)
        values.append(np.where(absent, column["median"], numbers) - column["centre"])
        if column["indicator"]:
            missing.append(absent.astype(np.float64))
    return torch.from_numpy(np.stack([*values, *missing], axis=1)).float()


def input_names(reading: Reading) -> list[str]:
    """What the columns of the inputs are called.

    >>> input_names({"columns": [{"name": "age", "kind": "number", "indicator": True}]})
    ['age', 'age is missing']
    """
    columns = reading["columns"]
    absent = [f"{column['name']} is missing" for column in columns if column.get("indicator")]
    return [*(column["name"] for column in columns), *absent]


def categories_of(reading: Reading) -> tuple[int, ...]:
    """How many codes each column of the inputs has, 0 for numbers, see `samcli.data.Source`.

    >>> categories_of({"columns": [{"name": "city", "kind": "category", "categories": ["Bonn"]}]})
    (2,)
    """
    codes = [len(column["categories"]) + 1 if column["kind"] == "category" else 0 for column in reading["columns"]]
    return (*codes, *[0] * (len(input_names(reading)) - len(codes)))


def surprises(frame: pd.DataFrame, reading: Reading) -> Iterator[str]:
    """What rows hold that the training part had not, in clauses: categories, and numbers that are missing.

    >>> import pandas as pd
    >>> city = {"name": "city", "kind": "category", "categories": ["Bonn"], "numeric": False}
    >>> list(surprises(pd.DataFrame({"city": ["Bonn", "Oslo", None]}), {"columns": [city]}))
    ["city: 1 value of no training category ('Oslo')"]
    """
    for column in reading["columns"]:
        series, name = _column(frame, column["name"]), column["name"]
        if column["kind"] == "category":
            known = {*column["categories"], ""}
            unseen = [text for text in texts_of(series, numeric=column["numeric"]) if text not in known]
            if unseen:
                yield f"{name}: {count(len(unseen), 'value')} of no training category ({unseen[0]!r})"
        elif not column["indicator"] and (absent := int((~np.isfinite(numbers_of(series))).sum())):
            yield f"{name}: {count(absent, 'value')} missing ({column['median']:g}, the training median, stands for it)"


def numbers_of(series: pd.Series[Any]) -> npt.NDArray[np.float64]:
    """The numbers of a column in 64 bits; NaN where there is none, or a text that is no number.

    >>> import pandas as pd
    >>> numbers_of(pd.Series(["1.5", None, "x", "inf"])).tolist()
    [1.5, nan, nan, inf]
    """
    import pandas as pd

    if pd.api.types.is_numeric_dtype(series.dtype) and not pd.api.types.is_complex_dtype(series.dtype):
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    texts = texts_of(series)
    numbers = pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce").to_numpy(dtype=np.float64, copy=True)
    odd = np.isnan(numbers) & (texts != "")  # perhaps numbers with separated thousands
    numbers[odd] = _each(texts[odd], lambda text: float(number_text(text) or "nan"))
    return numbers


def texts_of(series: pd.Series[Any], *, numeric: bool = False) -> npt.NDArray[np.object_]:
    """The values of a column as texts, "" where one is missing.

    Args:
        series: the column.
        numeric: whether texts that are numbers are to be alike where the numbers are: 1, 1.0 and 01.

    >>> import pandas as pd
    >>> texts_of(pd.Series([" a", None, "NA"])).tolist(), texts_of(pd.Series([1.0, 2.5, None])).tolist()
    (['a', '', ''], ['1', '2.5', ''])
    """
    import pandas as pd

    codes, values = pd.factorize(series.to_numpy(dtype=object), use_na_sentinel=False)
    texts = np.empty(len(values), dtype=object)
    texts[:] = [_text(value, numeric) for value in values]
    found: npt.NDArray[np.object_] = texts[codes]
    return found


def _text(value: Any, numeric: bool) -> str:
    import pandas as pd

    if isinstance(value, str):
        text = value.strip()
        number = number_text(text) if numeric and text not in MISSING else None
        return ("" if text in MISSING else text) if number is None else _plain(float(number))
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return ""
    if isinstance(value, int | float | np.number):
        return _plain(value)
    return str(value)


def _plain(number: Any) -> str:
    """A number as a text: a whole one without a point."""
    if isinstance(number, int | np.integer):
        return str(int(number))
    return str(int(number)) if math.isfinite(number) and number == int(number) else repr(float(number))


def _each(texts: npt.NDArray[np.object_], value: Any) -> npt.NDArray[np.float64]:
    """A number for each text; what occurs often is looked at once."""
    import pandas as pd

    codes, different = pd.factorize(texts)
    return np.array([value(text) for text in different], dtype=np.float64)[codes] if len(texts) else np.zeros(0)


def _column(frame: pd.DataFrame, name: str) -> pd.Series[Any]:
    if name not in frame.columns:
        raise DataError(f"The table has no column {name!r}; {nearest(name, map(str, frame.columns))}")
    series: pd.Series[Any] = frame[name]
    return series
