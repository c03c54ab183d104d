"""The conditions under which runs were timed: only under the same ones do their seconds compare."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from samcli.errors import ConfigError
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
    return [words for key, words in _NAMES.items() if len({one for run in finished for one in _texts(run, key)}) > 1]


def shown(runs: Sequence[Run], words: str) -> str:
    """The different values of a condition, where they are short: ` (1 and 2)`, else nothing.

    >>> from samcli.report.example import example_runs
    >>> shown(example_runs(), "threads")
    ''
    """
    key = {name: key for key, name in _NAMES.items()}[words]
    found = (value for run in runs if run.state == "finished" for value in _values(run, key) if value is not None)
    values = sorted({str(value) for value in found})
    if key == "hardware" or len(values) < 2:
        return ""
    return f" ({', '.join(values[:-1])} and {values[-1]})"


def require_same_conditions(runs: Sequence[Run], instead: str) -> None:
    """Refuse to compare seconds of runs whose seconds do not compare.

    Args:
        runs: of one data set and model; only finished ones matter.
        instead: the option to take in place of seconds.

    Raises:
        ConfigError: they were timed under different conditions.

    >>> from samcli.report.example import example_runs
    >>> require_same_conditions(example_runs(), "--budget gradients")
    """
    if found := differing(runs):
        dataset, model = (runs[0].config[key]["name"] for key in ("dataset", "model"))
        what = ", ".join(f"{words}{shown(runs, words)}" for words in found)
        raise ConfigError(
            f"Runs on {dataset} with {model} were timed with different {what}, so that equal seconds mean nothing; "
            f"take {instead}, or name runs of the same conditions."
        )


def _values(run: Run, key: str) -> list[Any]:
    """The condition in each attempt of a run that was timed under another one, and in the last."""
    # runs of before trained one after the other, in one process, and did not say so
    last = run.status.get(key, 1 if key in ("jobs", "processes") else None)
    return [*(attempt[key] for attempt in run.status.get("earlier") or () if key in attempt), last]


def _texts(run: Run, key: str) -> list[str]:
    return [json.dumps(value, sort_keys=True, default=str) for value in _values(run, key)]
