"""The trainings that come before a run's own; runs that begin alike share them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from samcli.config import RunConfig, stage_runs, trainings_of
from samcli.data import digest
from samcli.errors import CheckpointError, Interrupted, RunBusy, SamcliError
from samcli.report.settings import spoken
from samcli.runs import checkpoint
from samcli.runs.folder import RunFolder
from samcli.runs.owner import Watch
from samcli.runs.stages_file import stage_row
from samcli.train.catalogue import CATALOGUE
from samcli.train.continuing import checked_state, status_of
from samcli.train.digests import plugins_of
from samcli.train.initial import digest_of, file_at_hand
from samcli.words import count

FOLDER = ".stages"  # of an experiment; no reader of results looks into hidden folders
SECONDS_BETWEEN_LOOKS = 1.0  # at a stage that another process trains


class Train(Protocol):
    """Trains a run into a folder, see `samcli.train.train_run`."""

    def __call__(self, config: RunConfig, folder: RunFolder, *, dead: str | None) -> str:
        """The status that it ended with."""


class StageFailed(SamcliError):
    """A training that comes before a run's own ended without a network."""


@dataclass(frozen=True)
class Stage:
    """What a run has from the training before it.

    Attributes:
        content: of its checkpoint.
        initial: what is known of the file that the first stage began with, see `samcli.train.initial`; None without.
        trainings: how each stage ended, see `samcli.runs.stages_file.stage_row`.
    """

    content: Mapping[str, Any]
    initial: Mapping[str, Any] | None
    trainings: list[dict[str, Any]]


def stage_folder(stage: RunConfig, run: Path, data_dir: Path) -> RunFolder:
    """Where a stage of a run is trained: another place for other data, another plug-in file, or another `init` file.

    Args:
        stage: as `stage_runs` gives it.
        run: the folder of the run, or of one of its stages.
        data_dir: where data sets lie.

    Raises:
        CheckpointError: the file that it begins with cannot be read.
        DataError: its data are not there.
    """
    data = digest(CATALOGUE.create("dataset", stage.dataset), data_dir)
    files = sorted(plugins_of(stage).values())
    if (begins_with := file_at_hand(stage)) is not None:
        files.append(digest_of(begins_with))
    code = hashlib.sha256(repr((data, files)).encode()).hexdigest()
    shared = run.parent if run.parent.name == FOLDER else run.parent / FOLDER
    return RunFolder(shared / f"{stage.identity[:16]}-{code[:8]}")


def trained_before(
    config: RunConfig,
    run: Path,
    train: Train,
    *,
    data_dir: Path,
    should_stop: Callable[[], bool],
    on_notice: Callable[[str], None],
) -> Stage | None:
    """The last stage that comes before a run; it is trained unless it has been.

    Of several processes that want the same stage one trains it, and the others wait.

    Args:
        config: the run.
        run: its folder.
        train: trains a run, and whatever comes before that one.
        data_dir: where data sets lie.
        should_stop: asked while it waits.
        on_notice: is told of a stage that begins, or is waited for.

    Returns:
        The stage; None for a run without stages.

    Raises:
        KeyboardInterrupt: asked to stop.
        StageFailed: the stage diverged.
    """
    said = spoken(one.dataset["name"] for one in trainings_of(config))
    stages = [(stage, stage_folder(stage, run, data_dir)) for stage in stage_runs(config)]
    begun = [number for number, (_, folder) in enumerate(stages) if folder.checkpoint.exists()]
    for number, (stage, folder) in list(enumerate(stages))[begun[-1] if begun else 0 :]:
        data = said[stage.dataset["name"]]
        data = f"own labels of {data}" if stage.training.labels == "own" else data
        name = f"stage {number + 1}: {stage.optimizer['name']} on {data}"
        if not folder.checkpoint.exists():
            on_notice(f"{name}, {count(stage.training.epochs, 'epoch')}.")
        _train(stage, folder, name, train, should_stop, on_notice)
    if not stages:
        return None
    try:
        content = checked_state(checkpoint.load(folder.checkpoint), stage.document(), folder.checkpoint)
    except CheckpointError as error:
        raise StageFailed(f"Its {name} left nothing to begin with: {error}") from error
    status = status_of(stage, folder)
    return Stage(content, status.get("init"), [*trainings_in(status), stage_row(content["rows"])])


def trainings_in(status: Mapping[str, Any]) -> list[dict[str, Any]]:
    """How each stage of a run ended, by its `run.json`; empty where it does not tell.

    >>> trainings_in({"stages": [{"epochs": 3}]}), trainings_in({"stages": 3})
    ([{'epochs': 3}], [])
    """
    told = status.get("stages")
    return [dict(one) for one in told if isinstance(one, Mapping)] if isinstance(told, list) else []


def _train(
    stage: RunConfig,
    folder: RunFolder,
    name: str,
    train: Train,
    should_stop: Callable[[], bool],
    on_notice: Callable[[str], None],
) -> None:
    """Have a stage trained here, or wait for whoever trains it."""
    watch, dead, waits = Watch(), None, False
    while True:
        try:
            status = train(stage, folder, dead=dead)
            break
        except Interrupted as error:
            raise KeyboardInterrupt from error
        except RunBusy:
            if not waits:
                on_notice(f"{name} is being trained for another run; waiting for it.")
            waits = True
        if should_stop():
            raise KeyboardInterrupt
        time.sleep(SECONDS_BETWEEN_LOOKS)
        owner = watch.owner_of(folder.path, {})
        dead = owner.token if owner and owner.standing == "gone" else None
    if status != "finished":
        raise StageFailed(f"Its {name} {status}: {folder.read_status().get('error') or 'no reason is told'}")


def cost_of(stage: Mapping[str, Any]) -> dict[str, Any]:
    """What a stage took, for `run.json`: its epochs, gradient evaluations and seconds of training.

    >>> rows = [{"epoch": 1, "train_seconds": 2.0}, {"epoch": 2, "train_seconds": 1.5}]
    >>> cost_of({"rows": rows, "gradient_evaluations": 800})
    {'epochs': 2, 'gradient_evaluations': 800, 'train_seconds': 3.5}
    """
    rows = stage["rows"]
    return {
        "epochs": len(rows),
        "gradient_evaluations": stage["gradient_evaluations"],
        "train_seconds": round(sum(row["train_seconds"] for row in rows), 3),
    }
