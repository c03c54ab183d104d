"""Runs as one table for pandas: a row for each run and epoch, which is what a notebook begins with."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from samcli.errors import NothingToCompare
from samcli.runs.reader import Run, scan
from samcli.words import count

if TYPE_CHECKING:
    import pandas as pd

    Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]

ABOUT = ("experiment", "run", "state", "seed")
Scalar = str | int | float | bool | None


def load(results: Paths = "results") -> pd.DataFrame:
    """All epochs of all runs below some folders, as one tidy frame.

    Columns are `experiment` (the `name` of its configuration), `run` (the name of its folder), `state` and `seed`;
    those of `metrics.csv`, in its units, NaN where nothing was measured; and the settings of the configuration, those
    of a block with its name and a dot before theirs: `dataset.name`, `optimizer.rho`. A setting that a run does not
    have is missing in its rows. What cannot be read is warned of, and so are runs that have no epoch yet.

    Args:
        results: one path or several, each a results folder, an experiment or a run, as for `samcli compare`.

    Raises:
        ResultsError: none of the paths exists.
        NothingToCompare: no run of them has an epoch.

    >>> import tempfile
    >>> from samcli.runs.example import write_example
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_example(Path(folder, "digits", "a"))
    ...     frame = load(folder)
    >>> frame[["run", "state", "seed", "epoch", "test_accuracy", "optimizer.rho"]]
      run     state  seed  epoch  test_accuracy  optimizer.rho
    0   a  finished     0      1           0.50           0.05
    1   a  finished     0      2           0.75           0.05
    """
    paths = [results] if isinstance(results, str | os.PathLike) else list(results)
    runs, told = scan([Path(path) for path in paths])
    if sentence := rowless(runs):
        told.append(sentence)
    for sentence in told:
        warnings.warn(sentence, stacklevel=2)
    if not any(len(run.table) for run in runs):
        named = ", ".join(map(str, paths))
        raise NothingToCompare(f"There is no epoch of any run at {named}; train first: samcli train")
    return frame_of(runs)


def rowless(runs: Sequence[Run]) -> str | None:
    """A sentence on the runs that have no row in a table of epochs; None if all have one."""
    without = [run for run in runs if not len(run.table)]
    if not without:
        return None
    shown = ", ".join(f"{run.folder} ({run.state})" for run in without[:5]) + (", ..." if len(without) > 5 else "")
    return f"{count(len(without), 'run')} without an epoch {'has' if len(without) == 1 else 'have'} no row: {shown}."


def frame_of(runs: Sequence[Run]) -> pd.DataFrame:
    """The frame of `load`, of runs that were read before."""
    import numpy as np
    import pandas as pd

    rows = [len(run.table) for run in runs]
    settings = [settings_of(run.config) for run in runs]
    about: dict[str, list[Scalar]] = {
        "experiment": [run.experiment for run in runs],
        "run": [written(run.folder.name) for run in runs],
        "state": [run.state for run in runs],
        "seed": [run.seed for run in runs],
    }
    columns = {name: np.repeat(_typed(values), rows) for name, values in about.items()}
    for name in dict.fromkeys(name for run in runs for name in run.columns):
        parts = [
            run.table[:, run.columns.index(name)] if name in run.columns else np.full(length, math.nan)
            for run, length in zip(runs, rows, strict=True)
        ]
        values = np.concatenate(parts)
        columns[name if name not in ABOUT else f"metrics.{name}"] = (
            values.astype("int64") if name == "epoch" else values
        )
    for name in dict.fromkeys(name for one in settings for name in one):
        # a name of the table is its own: a file may hold any setting
        key = name if name not in columns else f"config.{name}"
        columns[key] = np.repeat(_typed([one.get(name) for one in settings]), rows)
    return pd.DataFrame({name: pd.Series(values) for name, values in columns.items()})


def settings_of(config: Mapping[str, Any]) -> dict[str, Scalar]:
    """The settings of a configuration by dotted names, its name and seed left out; a list becomes text, as in YAML.

    >>> settings_of({"name": "a", "seeds": 0, "epochs": 3, "dataset": {"name": "digits", "augment": ["crop", "flip"]}})
    {'epochs': 3, 'dataset.name': 'digits', 'dataset.augment': '[crop, flip]'}
    """
    return dict(_settings("", {key: value for key, value in config.items() if key not in ("name", "seeds")}))


def written(name: str) -> str:
    r"""The name of a file, of which bytes that are no UTF-8 are written out.

    >>> print(written("caf\udce9"))
    caf\udce9
    """
    return name.encode("utf-8", "backslashreplace").decode()


def _settings(before: str, block: Mapping[str, Any]) -> Iterator[tuple[str, Scalar]]:
    for key, value in block.items():
        if isinstance(value, Mapping):
            yield from _settings(f"{before}{key}.", value)
        elif isinstance(value, list):
            yield f"{before}{key}", f"[{', '.join(map(str, value))}]"
        else:
            yield f"{before}{key}", value


def _typed(values: Sequence[Scalar]) -> Any:
    """The values as an array of the type that holds them: truth values, numbers, or text.

    Numbers with gaps are floats, as they are in a table that pandas reads, and so is a setting that no run has.
    """
    import numpy as np

    known = [value for value in values if value is not None]
    complete = len(known) == len(values)
    kinds = {type(value) for value in known}
    if kinds == {bool}:
        return np.array(values, dtype=bool if complete else object)
    if kinds <= {int, float}:
        numbers = [math.nan if value is None else value for value in values]
        return np.array(numbers, dtype="int64" if complete and kinds == {int} else float)
    return np.array([None if value is None else str(value) for value in values], dtype=object)
