"""The baseline of each row: the one that shares most settings with it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

from samcli.metrics import higher_is_better
from samcli.report.row import Row
from samcli.report.settings import NAMES
from samcli.report.timing import evaluations


class Nearest:
    """The rows that others may be compared to, arranged so that the nearest one is found without looking at each.

    Args:
        baselines: at least one.

    >>> from samcli.report import compare
    >>> from samcli.report.example import example_runs
    >>> sam, sgd = compare(example_runs()).rows
    >>> Nearest([sgd]).to(sam) is sgd
    True
    """

    def __init__(self, baselines: Sequence[Row]) -> None:
        self._baselines = baselines
        with_value: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for index, row in enumerate(baselines):
            for key, value in row.flat.items():
                with_value[key][value].append(index)
        # a setting that all have alike brings none nearer than the others
        self._telling = {
            key: values
            for key, values in with_value.items()
            if key not in NAMES and any(len(indices) < len(baselines) for indices in values.values())
        }

    def to(self, row: Row) -> Row:
        """The baseline with which a row has most settings in common, names aside.

        Of several it is the one whose training cost most nearly as many gradient evaluations, so that trainings of
        different lengths are compared at equal compute where they can be; and of these the best by its metric.
        """
        shared = [0] * len(self._baselines)
        for key, values in self._telling.items():
            for index in values.get(row.flat.get(key, ""), ()):
                shared[index] += 1
        most = max(shared)
        nearest = [other for other, n in zip(self._baselines, shared, strict=True) if n == most]
        return min(nearest, key=lambda other: (_unequal(row, other), badness(other)))


def badness(row: Row) -> float:
    """The mean of the metric, turned so that less is better; infinite without one.

    >>> from samcli.report import compare
    >>> from samcli.report.example import example_runs
    >>> [round(badness(row), 3) for row in compare(example_runs()).rows]
    [-0.825, -0.725]
    """
    if row.last.mean is None:
        return float("inf")
    return -row.last.mean if higher_is_better(row.metric) else row.last.mean


def _unequal(row: Row, other: Row) -> float:
    """How far apart two rows are in gradient evaluations of the whole training, in tenths of a power of e."""
    ours, theirs = (evaluations(list(each.timings.values())) for each in (row, other))
    return abs(round(10.0 * math.log(ours / theirs))) if ours and theirs else 0.0
