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


def one_per_seed(runs: Sequence[Run]) -> tuple[list[Run], list[Run]]:
    """The runs that count, one for each setting and seed, and the others: finished ones go first, then later ones.

    >>> from samcli.report.example import example_runs
    >>> first, *others = example_runs()
    >>> one_per_seed([first, *others, first])[1] == [first]
    True
    """
    counted: dict[tuple[str, int], Run] = {}
    duplicates = []
    for run in sorted(runs, key=lambda run: (run.state == "finished", str(run.status.get("started"))), reverse=True):
        key = (run.setting, run.seed)
        if key in counted:
            duplicates.append(run)
        else:
            counted[key] = run
    return [run for run in runs if counted[run.setting, run.seed] is run], duplicates
