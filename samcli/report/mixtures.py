"""Rows, and pairs of rows, whose runs were not made alike: other versions, code, plug-ins, data or hardware."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from samcli.report.groups import finished_by_setting, grouped
from samcli.report.row import Row
from samcli.runs.reader import Run
from samcli.words import joined, seeds

_OF_TIMES = {"epochs_done", "jobs"}  # what changes no result, see `samcli.report.conditions`
MOST_SHOWN = 3  # ways of being made that a sentence names


def mixtures(rows: Sequence[Row], places: Mapping[str, Sequence[Run]], name: Callable[[Row], str]) -> Iterator[str]:
    """A sentence for each row whose finished runs were not made alike, and for each place whose rows were not.

    What a run does not record is not compared.

    Args:
        rows: the rows of the comparison.
        places: the runs of each place, that is data set and model.
        name: the words for a row.

    >>> list(mixtures([], {}, str))
    []
    """
    finished = finished_by_setting(places)
    for row in rows:
        runs = finished[row.setting]
        for words, look in _LOOKS.items():
            groups = _grouped(runs, look)
            if len(groups) > 1:
                yield f"{name(row)} mixes runs of different {words}: {_parted(groups)}."
        changed = sorted(
            run.seed for run in runs if any(set(attempt) - _OF_TIMES for attempt in run.status.get("earlier") or ())
        )
        if changed:
            yield f"{name(row)}: {seeds(changed)} went on after an interruption with other versions, code or hardware."
    rows_of = grouped(rows, lambda row: row.place)
    for place in places:
        here = rows_of[place]
        data = [_grouped(finished[row.setting], _data) for row in here]
        mixed = any(len(groups) > 1 for groups in data)  # which has been told already
        if len(set().union(*data)) > 1 and not mixed:
            yield f"Rows on {here[0].where} are of different data: their differences are not those of the optimizers."


def _grouped(runs: Sequence[Run], look: Callable[[Run], Any]) -> dict[str, list[Run]]:
    """The runs by what is recorded of them, those without a record left out."""
    groups: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        found = look(run)
        if found:
            groups[found if isinstance(found, str) else json.dumps(found, sort_keys=True, default=str)].append(run)
    return groups


def _parted(groups: Mapping[str, Sequence[Run]]) -> str:
    """Which seeds were made in which way: "0.1.0 (seeds 0, 1), 0.2.0 (seed 2)"."""
    parts = [f"{_short(text)} ({seeds(sorted(run.seed for run in runs))})" for text, runs in groups.items()]
    more = len(parts) - MOST_SHOWN
    return joined(parts) if more <= 0 else f"{', '.join(parts[:MOST_SHOWN])} and {more} more"


def _short(text: str) -> str:
    """What was recorded, as far as it tells anything to a person: of a digest the beginning."""
    if text.startswith("{"):
        return ", ".join(f"{key} {str(value)[:8]}" for key, value in json.loads(text).items())
    return text if len(text) <= 32 else text[:12]


def _of(status: Mapping[str, Any], *keys: str) -> Any:
    value: Any = status
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _version(name: str) -> Callable[[Run], Any]:
    return lambda run: _of(run.status, "versions", name)


def _commit(run: Run) -> str | None:
    """The commit, with a mark where files differed from it."""
    commit = _of(run.status, "git", "commit")
    return f"{str(commit)[:12]}{' with changes' if _of(run.status, 'git', 'dirty') else ''}" if commit else None


def _plugins(run: Run) -> dict[str, str] | None:
    """The digests of the plug-ins by the names of their files, wherever these lay."""
    plugins = run.status.get("plugins")
    return {Path(file).name: str(digest) for file, digest in plugins.items()} if isinstance(plugins, Mapping) else None


def _data(run: Run) -> Any:
    return _of(run.status, "dataset", "digest")


_LOOKS: dict[str, Callable[[Run], Any]] = {
    "versions of samcli": _version("samcli"),
    "versions of torch": _version("torch"),
    "git commits": _commit,
    "plug-ins": _plugins,
    "data": _data,
}
