"""The measures of sharpness that `samcli sharpness` keeps beside checkpoints, over runs."""

from __future__ import annotations

import dataclasses
import json
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from samcli.runs.reader import Run
from samcli.runs.sharpness_file import SharpnessFile


@dataclass(frozen=True)
class KeptMeasure:
    """One measure, with the same parameters on as many examples, of several runs.

    Attributes:
        name: the measure's, with its radius ρ where it has one, and with the parameters that tell it from others.
        examples: how many examples it was measured on.
        values: the values that have converged, by the folder of the run.
        unconverged: how many values have not, or are no numbers.
    """

    name: str
    examples: int
    values: dict[Path, float] = field(default_factory=dict)
    unconverged: int = 0


def kept_measures(runs: Sequence[Run]) -> list[KeptMeasure]:
    """The measures that are kept of any of the runs, in the order in which they were made; a stale one counts as none.

    >>> import tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     entry = {"label": "trace", "key": {"measure": "trace", "examples": 100}, "value": 9.5}
    ...     details = {"examples": 90, "batch_norm": "evaluation"}  # a small training part has fewer than asked for
    ...     entry |= {"stderr": None, "converged": True, "details": details}
    ...     SharpnessFile(Path(folder, "checkpoint.pt")).add([entry], epoch=3)
    ...     (kept,) = kept_measures([Run(Path(folder), "", {}, {}, [], np.empty((0, 0)))])
    >>> kept.name, kept.examples, list(kept.values.values())
    ('trace', 90, [9.5])
    """
    found: dict[str, KeptMeasure] = {}
    settings: dict[str, dict[str, Any]] = {}
    for run in runs:
        for entry in SharpnessFile(run.folder / "checkpoint.pt").entries:
            key = json.dumps(entry["key"], sort_keys=True)
            settings[key] = _flat(entry["key"])
            one = found.setdefault(key, KeptMeasure("", entry["details"]["examples"]))
            if entry["converged"] and isinstance(entry["value"], float | int):
                one.values[run.folder] = float(entry["value"])
            else:
                found[key] = dataclasses.replace(one, unconverged=one.unconverged + 1)
    names = _names(settings)
    return [dataclasses.replace(one, name=names[key]) for key, one in found.items()]


def with_measure(run: Run, measure: KeptMeasure) -> Run:
    """The run with a measure as a column of its metrics: a value at the last epoch.

    >>> from samcli.report.example import example_runs
    >>> run, *_ = example_runs()
    >>> with_measure(run, KeptMeasure("trace", 100, {run.folder: 9.5})).values("trace")
    [nan, 9.5]
    """
    import numpy as np

    column = np.full(len(run.table), math.nan)
    column[-1:] = measure.values.get(run.folder, math.nan)
    return dataclasses.replace(run, columns=[*run.columns, measure.name], table=np.column_stack([run.table, column]))


def _flat(key: dict[str, Any]) -> dict[str, Any]:
    return {**key.get("parameters", {}), **{name: value for name, value in key.items() if name != "parameters"}}


def _names(settings: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Each measure with its radius, and with the settings in which those of the same name and radius differ."""
    alike: dict[str, list[str]] = defaultdict(list)
    for key, one in settings.items():
        alike[_text(one, ["rho"])].append(key)
    names: dict[str, str] = {}
    for group in alike.values():
        options = dict.fromkeys(option for key in group for option in settings[key])
        differ = [o for o in options if len({json.dumps(settings[key].get(o)) for key in group}) > 1]
        names |= {key: _text(settings[key], ["rho", *differ]) for key in group}
    return names


def _text(settings: dict[str, Any], options: Sequence[str]) -> str:
    shown = [f"{option}={json.dumps(settings[option])}" for option in options if option in settings]
    return " ".join([str(settings["measure"]), *shown])
