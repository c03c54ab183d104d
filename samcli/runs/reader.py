"""All runs below some folders, read without choking on what is half-written or foreign."""

from __future__ import annotations

import gc
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from samcli.config.schema import identity_of, may_end_early, without_newer
from samcli.errors import ResultsError
from samcli.runs.door import unreadable
from samcli.runs.folder import RunFolder
from samcli.runs.owner import Owner, owner_of

if TYPE_CHECKING:
    import pandas as pd

    from samcli.runs.table import Values

DEPTH = 2  # results/<experiment>/<run>
NO_SETTINGS = ("name", "seeds", "plugins")  # keys of a configuration by which runs of one setting may differ


@dataclass(frozen=True, eq=False)
class Run:
    """A run that was read completely.

    Attributes:
        folder: the folder that it lies in.
        experiment: the `name` of its configuration.
        config: the resolved configuration.
        status: the content of `run.json`.
        columns: the names of the columns of `metrics.csv`.
        table: their values: a row per epoch, possibly none; what was not measured is NaN.
    """

    folder: Path
    experiment: str
    config: dict[str, Any]
    status: dict[str, Any]
    columns: list[str]
    table: Values

    @property
    def seed(self) -> int:
        """The seed of the run, by which runs are paired."""
        return int(self.config["seeds"])

    @cached_property
    def state(self) -> str:
        """One of `STATUSES`, as the first look tells it, see `state_of`."""
        return state_of(self.folder, self.status)[0]

    def values(self, column: str) -> list[float]:
        """The values of a column, NaN where nothing was measured; none where there is no such column."""
        # through pandas a column takes as long as all else that is looked at of a run
        found: list[float] = self.table[:, self.columns.index(column)].tolist() if column in self.columns else []
        return found

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """The table for pandas: epochs are whole numbers, all else floats."""
        import pandas as pd

        frame = pd.DataFrame(self.table, columns=pd.Index(self.columns))
        return frame.astype({"epoch": "int64"}) if "epoch" in self.columns else frame

    @cached_property
    def setting(self) -> str:
        """A text that is equal for runs that differ in the seed alone, whichever version wrote them."""
        return _canonical(self.config)

    @cached_property
    def place(self) -> str:
        """A text that is equal for runs that may be compared: same data set and model, all their options included."""
        return _canonical({key: self.config[key] for key in ("dataset", "model")})


def state_of(folder: Path, status: Mapping[str, Any]) -> tuple[str, Owner | None]:
    """What `run.json` says of a run, and its owner; one that says it is running but whose process is gone was
    interrupted.

    >>> state_of(Path("nowhere"), {"status": "running", "machine": "a"})
    ('interrupted', None)
    """
    state, owner = str(status["status"]), owner_of(folder, status)
    gone = owner is None or not owner.alive
    return "interrupted" if state == "running" and gone else state, owner


def setting_digest(config: Mapping[str, Any]) -> str:
    """A short text that is equal for configurations that differ in the seed alone, see `Run.setting`.

    >>> setting_digest({"epochs": 2, "seeds": 0}) == setting_digest({"seeds": 1, "epochs": 2})
    True
    """
    return hashlib.sha256(_canonical(config).encode()).hexdigest()[:16]


def _canonical(config: Mapping[str, Any]) -> str:
    """The settings as a text, whatever the order of their keys."""
    body = {key: value for key, value in config.items() if key not in NO_SETTINGS}
    return json.dumps(without_newer(body), sort_keys=True, default=str)


def scan(paths: Sequence[Path]) -> tuple[list[Run], list[str]]:
    """Read the runs in and below some folders.

    Args:
        paths: each a results folder, the folder of one experiment, or the folder of one run.

    Returns:
        The runs in the order of their paths, each once, and a warning sentence for every folder that looks like a run
        but cannot be read as one, and for every named path that holds no run. Other files and folders are passed over.

    Raises:
        ResultsError: none of the paths exists.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     runs, warnings = scan([Path(folder)])
    >>> runs, warnings[0].endswith("it holds no run of samcli, nor do its folders.")
    ([], True)
    """
    folders, warnings = folders_below(paths)
    runs = []
    with without_collection():
        for folder in folders:
            try:
                runs.append(_load(RunFolder(folder)))
            except ResultsError as error:
                warnings.append(f"Skipped: {error}")
    return sorted(runs, key=lambda run: run.folder), list(dict.fromkeys(warnings))


def folders_below(paths: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """The folders in and below some paths that hold a file of a run, each once, whether it can be read or not.

    Returns:
        The folders, and a warning sentence for every named path that holds none.

    Raises:
        ResultsError: none of the paths exists.
    """
    if not any(map(os.path.exists, paths)):
        named = ", ".join(map(str, paths)) or "no folder"
        raise ResultsError(f"There are no results at {named}; name a results folder, or train first: samcli train")
    found: dict[object, Path] = {}
    warnings = []
    for path in paths:
        candidates = list(_candidates(path, DEPTH))
        if not candidates:
            warnings.append(_nothing(path))
        for folder in candidates:
            found.setdefault(_identity(folder), folder)
    return list(found.values()), warnings


def finished_below(path: Path) -> int:
    """How many runs in and below a folder say that they are finished.

    >>> finished_below(Path("nowhere"))
    0
    """
    found = 0
    for folder in _candidates(path, DEPTH):
        with suppress(ResultsError):
            found += RunFolder(folder).read_status()["status"] == "finished"
    return found


@contextmanager
def without_collection() -> Iterator[None]:
    """Within the block no garbage is looked for: thousands of runs are millions of values, of which none is any.

    >>> with without_collection():
    ...     gc.isenabled()
    False
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _identity(folder: Path) -> object:
    """What is equal for two names of one folder."""
    try:
        about = os.stat(folder)
    except OSError:  # it has gone since it was found
        return folder
    return about.st_dev, about.st_ino


def _candidates(folder: Path, depth: int) -> Iterator[Path]:
    """Folders with a file of a run; below such a folder only when it is none itself."""
    files = RunFolder(folder)
    # os.path: unlike Path's, its tests answer no where a folder may not be entered
    present = [os.path.isfile(path) for path in (files.config, files.run, files.metrics)]
    if any(present) or os.path.isfile(files.checkpoint):
        yield folder
    if all(present) or depth == 0 or not os.path.isdir(folder):
        return
    try:
        below = sorted(entry for entry in folder.iterdir() if entry.is_dir() and entry.name[0] != ".")
    except PermissionError:
        yield folder  # named in a warning: runs may hide here
        return
    for entry in below:
        yield from _candidates(entry, depth - 1)


def _load(folder: RunFolder) -> Run:
    status = folder.read_status()
    config = config_of(folder, status)
    names, values = folder.read_values(status.get("metrics_digest") if status["status"] == "finished" else None)
    if fault := incompleteness(config, status, len(values)):
        raise unreadable(folder.metrics, fault)
    return Run(folder.path, str(config.get("name", "")), config, status, names, values)


def is_readable(folder: RunFolder, status: Mapping[str, Any]) -> bool:
    """Whether a finished run can be read by `scan`.

    Where `run.json` has the digest of the table that the run ended with, the table is not taken apart.

    Args:
        folder: that of the run.
        status: the content of its `run.json`.

    >>> is_readable(RunFolder(Path("nowhere")), {"status": "finished"})
    False
    """
    digest = status.get("metrics_digest")
    try:
        if digest is None or status.get("epochs_done") is None:
            _load(folder)
            return True
        return bool(config_of(folder, status) and digest == folder.metrics_digest())
    except ResultsError:
        return False


def config_of(folder: RunFolder, status: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of the run whose status it is.

    Raises:
        ResultsError: it is missing, unsound or another run's.
    """
    config = folder.read_config()
    if status.get("identity") not in (None, identity_of(config)):
        raise unreadable(folder.config, "is of another run than run.json beside it")
    return config


def incompleteness(config: Mapping[str, Any], status: Mapping[str, Any], rows: int) -> str | None:
    """What shows that a finished run has lost rows, or has some that are not its own; None if nothing does."""
    if status["status"] != "finished":
        return None
    planned = None if may_end_early(config) else config.get("epochs")
    wanted = status.get("epochs_done") if planned is None else planned
    return None if wanted in (None, rows) else f"has {rows} of {wanted} epochs, though the run is finished"


def _nothing(path: Path) -> str:
    if not os.path.exists(path):
        return f"Skipped {path}: there is no such folder."
    if not os.path.isdir(path):
        return f"Skipped {path}: it is a file; name the folder that holds it."
    claims = path / "claims"  # where samcli claims trains, a folder further down
    there = f"; runs of claims lie in {claims}" if claims.is_dir() else ""
    return f"Skipped {path}: it holds no run of samcli, nor do its folders{there}."
