"""Rows become the same inputs whether they are trained on or come later, as texts or with types."""

import numpy as np
import pandas as pd
import pytest
import torch

from samcli.data.tables import categories_of, input_names, inputs_of, numbers_of, surprises, texts_of
from samcli.errors import DataError

AGE = {"name": "age", "kind": "number", "median": 40.0, "centre": 0.0, "indicator": True}
SIZE = {"name": "size", "kind": "number", "median": 2.0, "centre": 2.0, "indicator": False}
CITY = {"name": "city", "kind": "category", "categories": ["Bonn", "Rome"], "numeric": False}
ZIP = {"name": "zip", "kind": "category", "categories": ["7", "53111"], "numeric": True}
READING = {"columns": [CITY, AGE, ZIP, SIZE], "target": "y"}
WANTED = torch.tensor(
    [[1.0, 31.0, 2.0, -1.0, 0.0], [0.0, 40.0, 1.0, 0.0, 1.0], [0.0, -5.5, 0.0, 98.0, 0.0], [2.0, 40.0, 0.0, 0.0, 1.0]]
)


def test_texts_become_inputs_by_the_reading() -> None:
    frame = pd.DataFrame(
        {
            "size": ["1", None, "1e2", "big"],
            "unused": ["a", "b", "c", "d"],
            "zip": ["53111", "07", "99", None],
            "age": ["31", "inf", "-5.5", ""],
            "city": ["Bonn", None, "Oslo", " Rome "],
        }
    )
    assert torch.equal(inputs_of(frame, READING), WANTED)
    assert inputs_of(frame, READING).dtype == torch.float32


def test_typed_columns_become_the_same() -> None:
    frame = pd.DataFrame(
        {
            "city": pd.Categorical(["Bonn", None, "Oslo", "Rome"]),
            "age": pd.array([31, None, -5.5, None], dtype="Float64"),
            "zip": [53111.0, 7.0, 99.0, np.nan],
            "size": [1.0, np.nan, 100.0, np.inf],
        }
    )
    assert torch.equal(inputs_of(frame, READING), WANTED)


def test_what_inputs_are_called_and_how_many_codes_they_have() -> None:
    assert input_names(READING) == ["city", "age", "zip", "size", "age is missing"]
    assert categories_of(READING) == (3, 0, 3, 0, 0)


def test_no_rows_are_no_inputs() -> None:
    assert inputs_of(pd.DataFrame({"age": [], "city": [], "zip": [], "size": []}), READING).shape == (0, 5)


def test_a_column_that_is_not_there_is_a_sentence() -> None:
    with pytest.raises(DataError, match=r"The table has no column 'city'; did you mean citty\?"):
        inputs_of(pd.DataFrame({"citty": ["Bonn"], "age": ["1"]}), READING)


def test_surprises_are_counted() -> None:
    frame = pd.DataFrame(
        {"city": ["Oslo", "Bonn", "Paris"], "age": [None, "1", "2"], "zip": ["7"] * 3, "size": ["x", "1", None]}
    )
    assert list(surprises(frame, READING)) == [
        "city: 2 values of no training category ('Oslo')",
        "size: 2 values missing (2, the training median, stands for it)",
    ]


def test_texts_and_numbers_of_any_type() -> None:
    assert texts_of(pd.Series([True, False])).tolist() == ["True", "False"]
    assert texts_of(pd.Series([1, 2**60])).tolist() == ["1", str(2**60)]
    assert texts_of(pd.Series(["01", "1.0", "x"]), numeric=True).tolist() == ["1", "1", "x"]
    assert texts_of(pd.Series(["01", "1.0", "x"])).tolist() == ["01", "1.0", "x"]
    given = numbers_of(pd.Series(["1,234", "0x1f", "1_0", "True", "1e3", "-inf", None]))
    np.testing.assert_array_equal(given, [1234, np.nan, np.nan, np.nan, 1000, -np.inf, np.nan])
    np.testing.assert_array_equal(numbers_of(pd.Series([1, None], dtype="Int64")), [1.0, np.nan])
