"""Options that are younger than some of the runs that are compared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from samcli.config.grid import token
from samcli.config.schema import NEWER, NEWER_IN

Flat = Mapping[str, Any]


def completed(flats: Sequence[Flat]) -> list[dict[str, Any]]:
    """Settings of runs, with the defaults of options that are younger than a run.

    An option of a data set or a model is one where another of these runs has it with the same name.

    >>> old, new = {"dataset.name": "wine"}, {"dataset.name": "wine", "dataset.classes": [0], "patience": 5}
    >>> [(flat["dataset.classes"], flat["patience"], flat["optimizer.average"]) for flat in completed([old, new])]
    [([], None, None), ([0], 5, None)]
    >>> "dataset.classes" in completed([old])[0]
    False
    """
    of_all = {**NEWER, **{f"optimizer.{key}": default for key, default in NEWER_IN["optimizer"].items()}}
    known: dict[tuple[str, Any], set[str]] = defaultdict(set)
    for flat in flats:
        for block, options in NEWER_IN.items():
            known[block, token(flat.get(f"{block}.name"))] |= {key for key in options if f"{block}.{key}" in flat}
    found = []
    for flat in flats:
        of_kind = {
            f"{block}.{key}": default
            for block, options in NEWER_IN.items()
            for key, default in options.items()
            if key in known[block, token(flat.get(f"{block}.name"))]
        }
        found.append({**of_all, **of_kind, **flat})
    return found
