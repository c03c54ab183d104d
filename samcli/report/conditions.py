"""The conditions under which runs were timed: only under the same ones do their seconds compare."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from samcli.runs.reader import Run

_NAMES = {
    "hardware": "hardware",
    "device": "devices",
    "threads": "threads",
    "jobs": "jobs at once",
    "processes": "processes",
}


def differing(runs: Iterable[Run]) -> list[str]:
    """The conditions that are not the same for all finished runs, in words.

    >>> from samcli.report.example import example_runs
    >>> differing(example_runs())
    []
    """
    finished = [run for run in runs if run.state == "finished"]
    return [words for key, words in _NAMES.items() if len({_condition(run, key) for run in finished}) > 1]


def shown(runs: Sequence[Run], words: str) -> str:
    """The different values of a condition, where they are short: ` (1 and 2)`, else nothing.

    >>> from samcli.report.example import example_runs
    >>> shown(example_runs(), "threads")
    ''
    """
    key = {name: key for key, name in _NAMES.items()}[words]
    values = sorted({str(_value(run, key)) for run in runs if run.state == "finished" and _value(run, key) is not None})
    if key == "hardware" or len(values) < 2:
        return ""
    return f" ({', '.join(values[:-1])} and {values[-1]})"


def _value(run: Run, key: str) -> Any:
    # runs of before trained one after the other, each in one process, and did not say so
    return run.status.get(key, 1 if key in ("jobs", "processes") else None)


def _condition(run: Run, key: str) -> str:
    return json.dumps(_value(run, key), sort_keys=True, default=str)
