"""How long runs take, told from the epochs of runs that cost the same."""

from __future__ import annotations

import heapq
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import fmean, median
from typing import Any

from samcli.config import stage_runs
from samcli.config.schema import without_newer
from samcli.errors import ResultsError
from samcli.launch.cell import Cell
from samcli.runs.folder import RunFolder
from samcli.runs.reader import config_of, folders_below
from samcli.train.stages import FOLDER as STAGES
from samcli.words import count, lasting

ENOUGH_STAGES = 30  # of an experiment that are read for what they took beside their epochs
PARTS = ("train_seconds", "eval_seconds", "sharpness_seconds")  # of an epoch
ENOUGH = 3  # finished runs of a kind that are read
# what decides nothing of what an epoch costs: settings of a run, and options of its blocks
_FREE = (
    *("name", "seeds", "plugins", "stages", "epochs", "schedule"),
    *("stop_at_train_loss", "patience", "label_smoothing", "class_weight"),
)
_FREE_OF_CLIENTS = ("alpha", "server", "server_momentum", "swa_from", "recent")
_FREE_OF_DATA = ("label_noise", "label_noise_kind", "examples_from", "rotate", "rotate_test")
_FREE_OF_RULES = ("lr", "momentum", "nesterov", "weight_decay", "betas", "eps", "dampening", "rho", "eta")
_FREE_OPTIONS = (*_FREE_OF_DATA, *_FREE_OF_RULES)


def kind_of(config: Mapping[str, Any]) -> str:
    """A text that is equal for configurations whose epochs cost the same.

    >>> block = {"dataset": {"name": "digits"}, "optimizer": {"name": "sam", "rho": 0.1}}
    >>> kind_of({**block, "seeds": 0}) == kind_of({**block, "seeds": 1, "optimizer": {"name": "sam", "rho": 0.2}})
    True
    >>> kind_of(block) == kind_of({**block, "optimizer": {"name": "sgd"}})
    False
    """
    costly = {
        key: {
            option: one
            for option, one in value.items()
            if option not in (_FREE_OF_CLIENTS if key == "federated" else _FREE_OPTIONS)
        }
        if isinstance(value, Mapping) and key != "sharpness"
        else value
        for key, value in without_newer(config).items()
        if key not in _FREE
    }
    return json.dumps(costly, sort_keys=True, default=str)


@dataclass(frozen=True)
class Estimate:
    """How long what is left to do takes.

    Attributes:
        seconds: of the runs whose kind is known, side by side.
        jobs: how many train at once.
        unknown: of how many kinds no finished run tells.
        known: of how many kinds some do.
    """

    seconds: float
    jobs: int
    unknown: int
    known: int

    def words(self) -> str:
        """The estimate as a sentence says it.

        >>> Estimate(700.0, jobs=2, unknown=0, known=2).words()
        'about 12 min with 2 jobs, from finished runs of the same kind'
        >>> Estimate(0.0, jobs=2, unknown=3, known=0).words()
        'how long it takes is not known, for no run like these has finished'
        >>> Estimate(700.0, jobs=2, unknown=3, known=1).words()
        'more than 12 min with 2 jobs; how long the others take is not known, for no run like them has finished'
        """
        if not self.known:
            return "how long it takes is not known, for no run like these has finished"
        about = f"{lasting(self.seconds)} with {count(self.jobs, 'job')}"
        if self.unknown:
            return f"more than {about}; how long the others take is not known, for no run like them has finished"
        return f"about {about}, from finished runs of the same kind"

    def record(self) -> dict[str, Any]:
        """The same in plain values; no seconds where a kind is unknown.

        >>> Estimate(7.0, jobs=2, unknown=0, known=1).record()
        {'seconds': 7.0, 'jobs': 2, 'kinds_known': 1, 'kinds_unknown': 0}
        """
        seconds = None if self.unknown else self.seconds
        return {"seconds": seconds, "jobs": self.jobs, "kinds_known": self.known, "kinds_unknown": self.unknown}


Training = tuple[Mapping[str, Any], int]  # a configuration, and the epochs that are left of it


def trainings_left(cells: Iterable[Cell]) -> list[list[Training]]:
    """The trainings that each run of a plan has left to do, one after the other: its own, after those of its stages.

    What several runs begin with is trained once, and what of it was trained before is not trained again.

    >>> trainings_left([])
    []

    Args:
        cells: the plan.
    """
    found: list[list[Training]] = []
    known: set[str] = set()
    for cell in cells:
        if not cell.epochs_left:
            continue
        run: list[Training] = []
        if cell.config.stages and not cell.epochs_done:
            trained = cell.folder.path.parent / STAGES
            for stage in stage_runs(cell.config):
                if stage.identity in known:
                    continue
                known.add(stage.identity)
                folders = trained.glob(f"{stage.identity[:16]}-*")
                left = stage.training.epochs - max(map(_epochs_done, folders), default=0)
                if left > 0:
                    run.append((stage.document(), int(left)))
        found.append([*run, (cell.config.document(), cell.epochs_left)])
    return found


def side_by_side(seconds: Iterable[float], jobs: int) -> float:
    """How long runs take together, each begun in its turn as soon as a job is free.

    >>> side_by_side([1.0, 1.0, 4.0], jobs=2), side_by_side([1.0, 1.0, 4.0], jobs=1), side_by_side([], jobs=3)
    (5.0, 6.0, 0.0)
    """
    free = [0.0] * max(jobs, 1)
    for length in seconds:
        heapq.heappush(free, heapq.heappop(free) + length)
    return max(free)


def estimate(
    left: Sequence[Sequence[Training]],
    results: Sequence[Path],
    *,
    jobs: int,
    threads: int | None = None,
    device: str = "cpu",
    cores: int | None = None,
) -> Estimate:
    """The time that runs take, from finished ones that were timed under the same conditions.

    >>> estimate([[({"dataset": {"name": "digits"}}, 20)]], [Path("nowhere")], jobs=2).words()
    'how long it takes is not known, for no run like these has finished'

    Args:
        left: of each run its trainings, which follow one another, each with the epochs that are left of it.
        results: folders that hold finished runs; in a later one is looked only for what those before do not tell.
        jobs: how many train at once.
        threads: that each of them has; None for any number.
        device: where they train.
        cores: that there are; more jobs than they carry take no less time. None for as many as the jobs want.
    """
    at_once = jobs if cores is None else max(1, min(jobs, cores // (threads or 1)))
    waiting = [[(kind_of(config), epochs) for config, epochs in run if epochs] for run in left]
    kinds = {kind for run in waiting for kind, _ in run}
    seconds: dict[str, float] = {}
    beside = max((seconds_beside(place / STAGES) for place in results), default=0.0)
    for folder in (one for place in results for one in (place, place / STAGES)):
        if missing := kinds - seconds.keys():
            seconds |= seconds_of_epoch(folder, missing, threads=threads, device=device)
    lengths = [sum(seconds[kind] * epochs + beside for kind, epochs in run if kind in seconds) for run in waiting]
    unknown = kinds - seconds.keys()
    return Estimate(side_by_side(lengths, at_once), jobs, len(unknown), len(kinds) - len(unknown))


def seconds_of_epoch(results: Path, kinds: set[str], *, threads: int | None, device: str) -> dict[str, float]:
    """The seconds of an epoch of each of some kinds that finished runs below a folder tell; damaged ones tell nothing.

    >>> seconds_of_epoch(Path("nowhere"), {"a"}, threads=1, device="cpu")
    {}
    """
    found: dict[str, list[float]] = {}
    try:
        folders, _ = folders_below([results])
    except ResultsError:
        return {}
    for folder in map(RunFolder, folders):
        if all(len(found.get(kind, ())) >= ENOUGH for kind in kinds):
            break
        try:
            status = folder.read_status()
            same = threads is None or status.get("threads") == threads
            if status["status"] != "finished" or not same or _device(status) != device:
                continue
            kind = kind_of(config_of(folder, status))
            if kind in kinds and len(found.setdefault(kind, [])) < ENOUGH:
                found[kind] += _seconds(folder)
        except ResultsError:
            continue
    return {kind: median(seconds) for kind, seconds in found.items() if seconds}


def seconds_beside(stages: Path) -> float:
    """What a training takes beside its epochs, such as reading its data: the mean over finished stages.

    Where trainings are many and short it counts; where nothing comes before runs, nothing tells, and it is 0.

    >>> seconds_beside(Path("nowhere"))
    0.0

    Args:
        stages: the folder that has a folder for each stage.
    """
    found: list[float] = []
    for path in sorted(stages.glob("*"))[:ENOUGH_STAGES]:
        folder = RunFolder(path)
        try:
            status = folder.read_status()
            if status["status"] != "finished":
                continue
            lasted = datetime.fromisoformat(status["ended"]) - datetime.fromisoformat(status["started"])
            names, values = folder.read_values()
            inside = sum(sum(_column(names, values, name)) for name in PARTS)
        except (ResultsError, KeyError, TypeError, ValueError):
            continue
        # to the second, so that single differences may be below 0; one that was continued has more epochs than time
        if (rest := lasted.total_seconds() - inside) > -1.0:
            found.append(rest)
    return max(fmean(found), 0.0) if found else 0.0


def _epochs_done(stage: Path) -> float:
    """How many epochs of a stage its folder tells of; all of a finished one, which may have ended early."""
    try:
        status = RunFolder(stage).read_status()
    except ResultsError:
        return 0
    done = status.get("epochs_done")
    return math.inf if status["status"] == "finished" else done if isinstance(done, int) else 0


def _device(status: Mapping[str, Any]) -> str:
    """The kind of device that a run was trained on: of `cuda:1`, cuda."""
    return str(status.get("device", "cpu")).partition(":")[0]


def _seconds(folder: RunFolder) -> list[float]:
    """The seconds of a usual epoch of a run, if it has any.

    Training is much the same in each, save the first, which warms up; evaluation and measures may be due in a few only.
    """
    names, values = folder.read_values()
    if not len(values):
        return []
    training = [value for value in _column(names, values, "train_seconds") if value]
    others = (fmean(_column(names, values, name)) for name in PARTS[1:])
    return [median(training) + sum(others)] if training else []


def _column(names: Sequence[str], values: Any, name: str) -> list[float]:
    """A column with 0 where nothing was measured."""
    if name not in names:
        return [0.0]
    return [0.0 if math.isnan(value) else float(value) for value in values[:, names.index(name)].tolist()]
