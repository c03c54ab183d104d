"""Runs and rows by what they have in common, each looked at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from samcli.runs.reader import Run

T = TypeVar("T")


def grouped(members: Iterable[T], key: Callable[[T], str]) -> dict[str, list[T]]:
    """The members by their key, in their order.

    >>> dict(grouped(["sgd", "sam", "adam"], lambda name: name[0]))
    {'s': ['sgd', 'sam'], 'a': ['adam']}
    """
    groups: dict[str, list[T]] = defaultdict(list)
    for member in members:
        groups[key(member)].append(member)
    return groups


def finished_by_setting(places: Mapping[str, Sequence[Run]]) -> dict[str, list[Run]]:
    """The finished runs of all places by their setting; none for a setting without one.

    >>> from samcli.report.example import example_runs
    >>> [len(runs) for runs in finished_by_setting({"a place": example_runs()}).values()]
    [2, 2]
    """
    return grouped(
        (run for runs in places.values() for run in runs if run.state == "finished"), lambda run: run.setting
    )
