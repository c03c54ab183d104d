"""What `samcli sharpness` and `samcli robustness` keep beside checkpoints, over runs."""

from __future__ import annotations

import dataclasses
import json
import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from samcli.runs.reader import Run
from samcli.runs.robustness_file import RobustnessFile
from samcli.runs.sharpness_file import SharpnessFile


@dataclass(frozen=True)
class KeptMeasure:
    """One measure or test, with the same parameters on as many examples, of several runs.

    Attributes:
        name: its own, with its radius or strength, and with the parameters that tell it from others.
        examples: how many examples it is of.
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
    return _kept(
        [(run, entry) for run in runs for entry in SharpnessFile(run.folder / "checkpoint.pt").entries],
        lambda entry: (str(entry["key"]["measure"]), ("rho",), ""),
    )


def kept_tests(runs: Sequence[Run]) -> list[KeptMeasure]:
    """The robustness tests that are kept of any of the runs, likewise; their names end with what their values are.

    >>> import tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     key = {"test": "pgd", "examples": 100, "seed": 0, "parameters": {"eps": 0.2, "steps": 10}}
    ...     entry = {"label": "pgd eps=51/255", "key": key, "value": 0.5, "stderr": 0.05, "interval": [0.4, 0.6]}
    ...     entry |= {"n": 100, "score": "accuracy", "details": {}}
    ...     RobustnessFile(Path(folder, "checkpoint.pt")).add([entry], epoch=3)
    ...     (kept,) = kept_tests([Run(Path(folder), "", {}, {}, [], np.empty((0, 0)))])
    >>> kept.name, kept.examples, list(kept.values.values())
    ('pgd eps=51/255 accuracy', 100, [0.5])
    """
    return _kept(
        [(run, entry) for run in runs for entry in RobustnessFile(run.folder / "checkpoint.pt").entries],
        lambda entry: (str(entry["label"]), (), f" {entry['score']}"),
    )


Named = Callable[[Mapping[str, Any]], tuple[str, tuple[str, ...], str]]


def _kept(entries: Sequence[tuple[Run, dict[str, Any]]], named: Named) -> list[KeptMeasure]:
    """The values of each key over runs.

    Args:
        entries: of files beside checkpoints.
        named: of an entry, how its name begins, the parameters that it always has, and how it ends.
    """
    found: dict[str, KeptMeasure] = {}
    ways: dict[str, _Way] = {}
    for run, entry in entries:
        key = json.dumps(entry["key"], sort_keys=True)
        ways[key] = _Way(*named(entry), _flat(entry["key"]))
        one = found.setdefault(key, KeptMeasure("", entry["n"] if "n" in entry else entry["details"]["examples"]))
        if entry.get("converged", True) and isinstance(entry["value"], float | int):
            one.values[run.folder] = float(entry["value"])
        else:
            found[key] = dataclasses.replace(one, unconverged=one.unconverged + 1)
    names = _names(ways)
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


@dataclass(frozen=True)
class _Way:
    """How something was found out.

    Attributes:
        begins, ends: of its name.
        always: the settings that the name always has.
        settings: all of them.
    """

    begins: str
    always: tuple[str, ...]
    ends: str
    settings: dict[str, Any]

    def text(self, options: Sequence[str] = ()) -> str:
        """The name, with further settings."""
        shown = [
            f"{option}={json.dumps(self.settings[option])}"
            for option in (*self.always, *options)
            if option in self.settings
        ]
        return " ".join([self.begins, *shown]) + self.ends


def _names(ways: Mapping[str, _Way]) -> dict[str, str]:
    """Each with the settings in which those of the same name differ."""
    alike: dict[str, list[str]] = defaultdict(list)
    for key, way in ways.items():
        alike[way.text()].append(key)
    names: dict[str, str] = {}
    for group in alike.values():
        options = dict.fromkeys(option for key in group for option in ways[key].settings)
        differ = [o for o in options if len({json.dumps(ways[key].settings.get(o)) for key in group}) > 1]
        names |= {key: ways[key].text([o for o in differ if o not in ways[key].always]) for key in group}
    return names
