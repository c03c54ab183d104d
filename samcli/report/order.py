"""The order of the rows of a comparison, and of names with numbers in them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from samcli.report.groups import grouped
from samcli.report.nearest import badness
from samcli.report.row import Row

_UNSIGNED = re.compile(r"(\d+(?:\.\d+)?(?:e[+-]\d+)?)")
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


def in_order(rows: Sequence[Row]) -> list[Row]:
    """The rows by data set and model; within these the best first, unless settings of one optimizer compete.

    Where they do, an order by test values would be a choice made on the test part: these rows stand in the order of
    their settings, optimizer by optimizer.

    >>> from samcli.report import compare
    >>> from samcli.report.example import example_runs
    >>> [row.who for row in in_order(compare(example_runs()).rows)]
    ['sam rho=0.05', 'sgd']
    """
    places = grouped(rows, lambda row: row.place).values()
    found = []
    for here in sorted(places, key=lambda here: _where(here[0])):
        found += sorted(here, key=_by_settings if compete(here) else _by_result)
    return found


def compete(here: Sequence[Row]) -> bool:
    """Whether rows of one data set and model have results of several settings of an optimizer among them.

    >>> from samcli.report import compare
    >>> from samcli.report.example import example_runs
    >>> compete(compare(example_runs()).rows)
    False
    """
    return max(Counter(row.method for row in here if row.n).values(), default=0) > 1


def by_size(text: str) -> list[str | float]:
    """A key that sorts texts by the alphabet, and by the size of the numbers in them.

    >>> sorted(["sgd", "sam rho=10", "sam rho=9", "sam rho=5e-05"], key=by_size)
    ['sam rho=5e-05', 'sam rho=9', 'sam rho=10', 'sgd']
    """
    return [float(part) if position % 2 else part for position, part in enumerate(_UNSIGNED.split(text))]


def _where(row: Row) -> tuple[str, ...]:
    return row.dataset, row.dataset_settings, row.model, row.model_settings, row.place


def _by_result(row: Row) -> tuple[float, str, str]:
    return badness(row), row.optimizer, row.settings


def _by_settings(row: Row) -> tuple[bool, str, tuple[tuple[str, float], ...]]:
    """The baseline first; numbers in settings by their size: rho=0.5 before rho=1, and that before rho=10."""
    texts, numbers = _NUMBER.split(row.settings), _NUMBER.findall(row.settings)
    pairs = zip(texts, [*map(float, numbers), 0.0], strict=True)
    return not row.is_baseline, row.optimizer, tuple(pairs)
