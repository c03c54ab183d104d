"""Whether the inputs of two data sets mean the same to a network: the words of its tokens, the columns of its rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def other_meaning(there: Mapping[str, Any], here: Mapping[str, Any]) -> str | None:
    """What the inputs of another data set mean that those of this one do not, in words; None if nothing is known of it.

    A network's tensors fit by their shapes alone. Behind a vocabulary of as many other words, or as many other columns,
    they would meet numbers that they never learnt about, and nothing would tell. Pixels mean the same everywhere.

    Args:
        there: the entry `data` in the checkpoint of the network, see `samcli.data.Dataset.document`.
        here: that of the data set it is to be trained on.

    >>> tables = [{"reading": {"features": names}} for names in (["age", "bmi"], ["bmi", "age"])]
    >>> other_meaning(*tables)
    "column 1 is 'age' there and 'bmi' here"
    >>> other_meaning(tables[0], tables[0]), other_meaning({}, tables[0])
    (None, None)
    """
    theirs, ours = (_reading(document) for document in (there, here))
    if theirs.get("tokenizer") is not None and ours.get("tokenizer") is not None:
        return None if theirs["tokenizer"] == ours["tokenizer"] else "its tokens stand for other words or pieces"
    columns = [_columns(reading) for reading in (theirs, ours)]
    if columns[0] is None or columns[1] is None:
        return None
    return next(_differences(columns[0], columns[1]), None)


def _reading(document: Mapping[str, Any]) -> Mapping[str, Any]:
    found = document.get("reading")
    return found if isinstance(found, Mapping) else {}


def _columns(reading: Mapping[str, Any]) -> list[tuple[str, bool, Any]] | None:
    """Of each column its name, whether a further one tells where it is missing, and its categories, if it has any."""
    if isinstance(reading.get("features"), Sequence):
        return [(str(name), False, None) for name in reading["features"]]
    columns = reading.get("columns")
    if not isinstance(columns, Sequence) or not all(isinstance(one, Mapping) for one in columns):
        return None
    return [(str(one.get("name")), bool(one.get("indicator")), one.get("categories")) for one in columns]


def _differences(theirs: Sequence[tuple[str, bool, Any]], ours: Sequence[tuple[str, bool, Any]]) -> Iterator[str]:
    if len(theirs) != len(ours):
        yield f"it has {len(theirs)} columns there and {len(ours)} here"
    for number, (there, here) in enumerate(zip(theirs, ours, strict=False), 1):
        name = f"{here[0]!r:.60}"
        if there[0] != here[0]:
            yield f"column {number} is {there[0]!r:.60} there and {name} here"
        elif (there[2] is None) != (here[2] is None):
            kinds = ["numbers" if one[2] is None else "categories" for one in (there, here)]
            yield f"column {name} has {kinds[0]} there and {kinds[1]} here"
        elif there[2] != here[2]:
            yield f"column {name} has other categories"
        elif there[1] != here[1]:
            yield f"only {'there' if there[1] else 'here'} is a column for where {name} is missing"
