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
class Kept:
    """One measure, with the same parameters on as many examples, of several runs.

    Attributes:
        name: of the measure, with its radius ρ where it has one, and with what else tells it from others.
        examples: that it was measured on.
        values: by the folder of the run; those that have converged.
        unconverged: how many have not, or are no numbers.
    """

    name: str
    examples: int
    values: dict[Path, float] = field(default_factory=dict)
    unconverged: int = 0


def kept_measures(runs: Sequence[Run]) -> list[Kept]:
    """All that is kept of the runs, in the order in which it was measured; what is stale counts as none."""
    found: dict[str, Kept] = {}
    settings: dict[str, dict[str, Any]] = {}
    for run in runs:
        for entry in SharpnessFile(run.folder / "checkpoint.pt").entries:
            key = json.dumps(entry["key"], sort_keys=True)
            settings[key] = _flat(entry["key"])
            one = found.setdefault(key, Kept("", _examples(entry)))
            if entry["converged"] and isinstance(entry["value"], float | int):
                one.values[run.folder] = float(entry["value"])
            else:
                found[key] = dataclasses.replace(one, unconverged=one.unconverged + 1)
    names = _names(settings)
    return [dataclasses.replace(one, name=names[key]) for key, one in found.items()]


def with_measure(run: Run, measure: Kept) -> Run:
    """The run with a measure as a column of its metrics: a value at the last epoch."""
    metrics = run.metrics.copy()
    metrics[measure.name] = math.nan
    if len(metrics) and run.folder in measure.values:
        metrics.loc[metrics.index[-1], measure.name] = measure.values[run.folder]
    return dataclasses.replace(run, metrics=metrics)


def _examples(entry: dict[str, Any]) -> int:
    """That were really measured on: a small training part has fewer than were asked for."""
    return int(entry["details"].get("examples", entry["key"]["examples"]))


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
