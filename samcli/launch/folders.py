"""The folder of each run: found by what the run is, and named by what tells it from the others."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from samcli.config import RunConfig, identity_of
from samcli.errors import ResultsError
from samcli.report.settings import distinguishing
from samcli.runs.folder import RunFolder

LONGEST = 120  # characters of the settings in a name; a folder's name has at most 255 bytes


def folders_of(runs: Sequence[RunConfig], results: Path) -> list[RunFolder]:
    """The folder of each run of an experiment.

    A folder that holds a run of the same identity is that run's, whatever its name: one of an earlier version, one that
    a user renamed, or one that was named before the grid grew. Otherwise it is a new one, which takes no other run's
    place: where a user gave its name to the folder of another run, a number is added.

    Args:
        runs: the runs of the grid.
        results: the results folder.

    >>> from samcli.config import Draft, parse
    >>> from samcli.train import CATALOGUE
    >>> text = "{name: radii, dataset: wine, optimizer: {name: sam, rho: [0.1, 0.2]}}"
    >>> runs = Draft.of(parse(text, "radii.yaml"), CATALOGUE).expand()
    >>> [folder.path.name[:-9] for folder in folders_of(runs, Path("nowhere"))]
    ['wine-linear-sam-rho0.1-seed0', 'wine-linear-sam-rho0.2-seed0']
    """
    known = {name: _index(results / name) for name in {run.name for run in runs}}
    return [
        RunFolder(_chosen(known[run.name], run, name) or _free(results / run.name / name, known[run.name]))
        for run, name in zip(runs, names_of(runs), strict=True)
    ]


def names_of(runs: Sequence[RunConfig]) -> list[str]:
    """A name for the folder of each run: what tells it from the others, and the first digits of its identity.

    >>> from samcli.config import Draft, parse
    >>> from samcli.train import CATALOGUE
    >>> (run,) = Draft.of(parse("{dataset: wine, optimizer: sgd, seeds: 3}", "x.yaml"), CATALOGUE).expand()
    >>> names_of([run])[0][:-8]
    'wine-linear-sgd-seed3-'
    """
    settings = distinguishing([run.document() for run in runs])
    names = []
    for run, words in zip(runs, settings, strict=True):
        # of a path the end says more than the beginning
        parts = [_plain(str(block["name"]))[-40:] for block in (run.dataset, run.model, run.optimizer)]
        # of `schedule.name` the schedule shows, of `optimizer.rho` the option
        keys = [key.removesuffix(".name").rpartition(".")[2] for key in words]
        told = "-".join(_plain(f"{key}{value}") for key, value in zip(keys, words.values(), strict=True))
        names.append("-".join(filter(None, [*parts, told[:LONGEST], f"seed{run.seed}", run.identity[:8]])))
    return names


@lru_cache(maxsize=4096)
def _plain(text: str) -> str:
    return re.sub(r"[^\w.+]+", "-", text, flags=re.ASCII).strip("-.")


def _index(experiment: Path) -> dict[str, list[Path]]:
    """The folders of an experiment by the identity of their runs, or its first eight digits if they say no more."""
    found: dict[str, list[Path]] = {}
    try:
        folders = sorted(entry for entry in experiment.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    except OSError:  # none yet
        return found
    for folder in folders:
        if identity := _identity(RunFolder(folder)):
            found.setdefault(identity, []).append(folder)
    return found


def _free(path: Path, known: Mapping[str, Sequence[Path]]) -> Path:
    """The path, or with a number the first that is no folder of another run."""
    taken = {folder for folders in known.values() for folder in folders}
    number, free = 2, path
    while free in taken:
        number, free = number + 1, path.with_name(f"{path.name}-{number}")
    return free


def _identity(folder: RunFolder) -> str | None:
    """What run a folder is of: what its status, its configuration and its name say, the most of them."""
    found = re.search(r"-([0-9a-f]{8})(-\d+)?$", folder.path.name)
    ending = found[1] if found else None
    status = config = None
    with suppress(ResultsError):
        status = folder.read_status().get("identity")
    if status and status[:8] == ending:
        return str(status)
    with suppress(ResultsError):
        config = identity_of(folder.read_config())
    if status and config and config[:8] != ending:  # someone's own name
        return str(status)
    return config or status or ending


def _chosen(known: Mapping[str, Sequence[Path]], run: RunConfig, name: str) -> Path | None:
    """The folder of a run: of several, as when one was copied, a finished one, and before others the one so named."""
    candidates = [*known.get(run.identity, ()), *known.get(run.identity[:8], ())]
    if len(candidates) == 1:
        return candidates[0]
    return max(candidates, key=lambda path: (_is_finished(path), path.name == name), default=None)


def _is_finished(path: Path) -> bool:
    try:
        return bool(RunFolder(path).read_status()["status"] == "finished")
    except ResultsError:
        return False
