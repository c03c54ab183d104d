"""The folder of each run: found by what the run is, and named by what tells it from the others."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from samcli.config import RunConfig, identity_of
from samcli.errors import ResultsError
from samcli.report.settings import distinguishing, spoken
from samcli.runs.folder import RunFolder
from samcli.train.longer import of_epochs

LONGEST = 120  # characters of the settings in a name; a folder's name has at most 255 bytes


class Place(NamedTuple):
    """Where a run lies, or will.

    Attributes:
        path: of its folder.
        status: the content of its `run.json`, as it was when the folder was found; empty where there is none.
        shorter: the path and status of a finished run that differs in having fewer epochs, the most of several, where
            this one has nothing to go on from itself.
    """

    path: Path
    status: Mapping[str, Any] = {}
    shorter: tuple[Path, Mapping[str, Any]] | None = None

    @property
    def is_finished(self) -> bool:
        """Whether its run says that it finished."""
        return self.status.get("status") == "finished"


def places_of(runs: Sequence[RunConfig], results: Path) -> list[Place]:
    """The place of each run of an experiment.

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
    >>> [place.path.name[:-9] for place in places_of(runs, Path("nowhere"))]
    ['wine-linear-sam-rho0.1-seed0', 'wine-linear-sam-rho0.2-seed0']
    """
    known = {name: _index(results / name) for name in {run.name for run in runs}}
    lengths = {name: _lengths(places) for name, places in known.items()}
    found = []
    for run, name in zip(runs, names_of(runs), strict=True):
        place = _chosen(known[run.name], run, name) or _free(results / run.name / name, known[run.name])
        if not place.is_finished and lengths[run.name] and not RunFolder(place.path).checkpoint.exists():
            place = place._replace(shorter=_shorter(known[run.name], lengths[run.name], run))
        found.append(place)
    return found


def names_of(runs: Sequence[RunConfig]) -> list[str]:
    """A name for the folder of each run: what tells it from the others, and the first digits of its identity.

    >>> from samcli.config import Draft, parse
    >>> from samcli.train import CATALOGUE
    >>> (run,) = Draft.of(parse("{dataset: wine, optimizer: sgd, seeds: 3}", "x.yaml"), CATALOGUE).expand()
    >>> names_of([run])[0][:-8]
    'wine-linear-sgd-seed3-'
    """
    settings = distinguishing([run.document() for run in runs])
    said = spoken(run.dataset["name"] for run in runs)
    names = []
    for run, words in zip(runs, settings, strict=True):
        # of a path the end says more than the beginning
        blocks = (said[run.dataset["name"]], run.model["name"], run.optimizer["name"])
        parts = [_plain(str(name))[-40:] for name in blocks]
        # of `schedule.name` the schedule shows, of `optimizer.rho` the option, of `stage1.rho` both
        keys = [key if key.startswith("stage") else key.removesuffix(".name").rpartition(".")[2] for key in words]
        told = "-".join(_plain(f"{key}{value}") for key, value in zip(keys, words.values(), strict=True))
        names.append("-".join(filter(None, [*parts, told[:LONGEST], f"seed{run.seed}", run.identity[:8]])))
    return names


@lru_cache(maxsize=4096)
def _plain(text: str) -> str:
    return re.sub(r"[^\w.+]+", "-", text, flags=re.ASCII).strip("-.")


def _index(experiment: Path) -> dict[str, list[Place]]:
    """The folders of an experiment by the identity of their runs, or its first eight digits if they say no more."""
    found: dict[str, list[Place]] = {}
    try:
        folders = sorted(entry for entry in experiment.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    except OSError:  # none yet
        return found
    for folder in folders:
        status: dict[str, Any] = {}
        with suppress(ResultsError):
            status = RunFolder(folder).read_status()
        if identity := _identity(folder, status):
            found.setdefault(identity, []).append(Place(folder, status))
    return found


def _free(path: Path, known: Mapping[str, Sequence[Place]]) -> Place:
    """The path, or with a number the first that is no folder of another run."""
    taken = {place.path for places in known.values() for place in places}
    number, free = 2, path
    while free in taken:
        number, free = number + 1, path.with_name(f"{path.name}-{number}")
    return Place(free)


def _identity(folder: Path, status: Mapping[str, Any]) -> str | None:
    """What run a folder is of: what its status, its configuration and its name say, the most of them."""
    found = re.search(r"-([0-9a-f]{8})(-\d+)?$", folder.name)
    ending = found[1] if found else None
    told: str | None = status.get("identity")
    if told and told[:8] == ending:
        return told
    config = None
    with suppress(ResultsError):
        config = identity_of(RunFolder(folder).read_config())
    if told and config and config[:8] != ending:  # someone's own name
        return told
    return config or told or ending


def _chosen(known: Mapping[str, Sequence[Place]], run: RunConfig, name: str) -> Place | None:
    """The folder of a run: of several, as when one was copied, a finished one, and before others the one so named."""
    candidates = [*known.get(run.identity, ()), *known.get(run.identity[:8], ())]
    return max(candidates, key=lambda place: (place.is_finished, place.path.name == name), default=None)


def _lengths(known: Mapping[str, Sequence[Place]]) -> list[int]:
    """The numbers of epochs that finished runs of an experiment have, the largest first."""
    told = {place.status.get("epochs") for places in known.values() for place in places if place.is_finished}
    return sorted((epochs for epochs in told if isinstance(epochs, int)), reverse=True)


def _shorter(
    known: Mapping[str, Sequence[Place]], lengths: Sequence[int], run: RunConfig
) -> tuple[Path, Mapping[str, Any]] | None:
    """A finished run that differs from another in having fewer epochs, the most of several."""
    for epochs in (epochs for epochs in lengths if 0 < epochs < run.training.epochs):
        identity = of_epochs(run, epochs).identity
        for place in known.get(identity, ()):
            if place.is_finished and place.status.get("epochs") == epochs:
                return place.path, place.status
    return None
