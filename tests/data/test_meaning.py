"""Whether the inputs of two data sets mean the same."""

from typing import Any

import pytest

from samcli.data.meaning import other_meaning

AGE = {"name": "age", "kind": "number", "median": 40.0, "centre": 0.0, "indicator": False}
CITY = {"name": "city", "kind": "category", "categories": ["Bern", "Rome"], "numeric": False}


def table(*columns: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "table", "reading": {"columns": list(columns), "target": "ill"}}


@pytest.mark.parametrize(
    ("here", "said"),
    [
        (table(AGE, CITY), None),
        (table({**AGE, "median": 50.0, "centre": 7.0}, CITY), None),  # numbers are normalised anew in any case
        (table(CITY, AGE), "column 1 is 'age' there and 'city' here"),
        (table(AGE, {**CITY, "categories": ["Rome", "Bern"]}), "column 'city' has other categories"),
        (table({**AGE, "indicator": True}, CITY), "only here is a column for where 'age' is missing"),
        (table({**CITY, "name": "age"}, CITY), "column 'age' has numbers there and categories here"),
        (table(AGE), "it has 2 columns there and 1 here"),
        ({"reading": {"features": ["age", "city"]}}, "column 'city' has categories there and numbers here"),
        ({"reading": {"size": [8, 8]}}, None),
        ({"reading": {}}, None),
    ],
)
def test_tables(here: dict[str, Any], said: str | None) -> None:
    assert other_meaning(table(AGE, CITY), here) == said


@pytest.mark.parametrize("tokenizer", ["bytes", {"kind": "words", "document": "good\nbad"}])
def test_tokens(tokenizer: Any) -> None:
    words = {"reading": {"tokenizer": {"kind": "words", "document": "bad\ngood"}, "length": 8}}
    assert other_meaning(words, words) is None
    assert other_meaning(words, {"reading": {"tokenizer": tokenizer}}) == "its tokens stand for other words or pieces"


@pytest.mark.parametrize("there", [{}, {"reading": 3}, {"reading": {"columns": [1, 2]}}, {"reading": {"columns": 7}}])
def test_what_a_stranger_wrote_is_no_error(there: dict[str, Any]) -> None:
    assert other_meaning(there, table(AGE, CITY)) is None
