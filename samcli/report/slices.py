"""The slices through trained weights that `samcli landscape` has kept, by how they were cut."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from samcli.runs.landscape_file import LandscapeFile
from samcli.runs.reader import Run

Slices = Mapping[str, Mapping[str, Any]]  # entries of `landscape.json` by their keys, as texts


def slices_of(run: Run, dimensions: int) -> Slices:
    """The lines or the planes that are kept of a run.

    >>> from samcli.report.example import example_runs
    >>> slices_of(example_runs()[0], dimensions=1)
    {}
    """
    entries = LandscapeFile(run.folder / "checkpoint.pt").entries
    return {json.dumps(e["key"], sort_keys=True): e for e in entries if e["key"]["dimensions"] == dimensions}


def usual_cut(each: Iterable[Slices]) -> tuple[str, int] | None:
    """The way of cutting that most runs have, of several the one that was begun last, and how many ways there are.

    >>> usual_cut([{"a": {}, "b": {}}, {"a": {}}]), usual_cut([{}])
    (('a', 2), None)
    """
    order = [how for slices in each for how in slices]
    if not order:
        return None
    times = Counter(order)
    return max(times, key=lambda how: (times[how], order.index(how))), len(times)
