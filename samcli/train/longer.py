"""A run of more epochs than a finished one: it goes on from there, where nothing before depended on the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from samcli.config import RunConfig
from samcli.config.exclusions import FALLING, begins_late
from samcli.errors import CheckpointError, ResultsError
from samcli.metrics import OF_OWN_LABELS
from samcli.registry import plugin_digests
from samcli.runs import EpochMetrics, checkpoint
from samcli.runs.files import write_atomic
from samcli.runs.folder import RunFolder
from samcli.train.catalogue import CATALOGUE
from samcli.train.continuing import checked_state
from samcli.train.ending import ends_with

_OF_TRAINING = {
    "epoch",
    "learning_rate",
    "rho",
    "gradient_evaluations",
    "examples_per_second",
    "skipped_steps",
    "cpu_seconds",
    *OF_OWN_LABELS,
}  # the columns of an epoch beside those of `train_`; what is neither this nor an evaluation is a measure of sharpness


def of_epochs(config: RunConfig, epochs: int) -> RunConfig:
    """The run that differs in its epochs alone.

    >>> from samcli.config import Draft, parse
    >>> (config,) = Draft.of(parse("{optimizer: sgd, epochs: 9}", "x.yaml"), CATALOGUE).expand()
    >>> of_epochs(config, 3).training.epochs
    3
    """
    return replace(config, training=replace(config.training, epochs=epochs))


def objection_to_going_on(config: RunConfig, epochs: int) -> str:
    """Why a run cannot go on where one of fewer epochs ended, as a clause; empty if it can.

    Args:
        config: the longer run.
        epochs: of the shorter one.

    >>> from samcli.config import Draft, parse
    >>> text = "{optimizer: sgd, epochs: 9, schedule: [constant, cosine]}"
    >>> [objection_to_going_on(run, 3) for run in Draft.of(parse(text, "x.yaml"), CATALOGUE).expand()]
    ['', 'the schedule cosine depends on the number of epochs']
    """
    schedule = config.schedule["name"]
    if CATALOGUE.schedules.kind(schedule).knows_the_end:
        return f"the schedule {schedule} depends on the number of epochs"
    if config.federated and config.federated.server == "swa":
        return "server: swa begins after a share of all rounds"
    if words := _objection_to_optimizer(config.optimizer):
        return words
    if not config.evaluate.is_due(epochs, last=False):
        if config.training.keep == "best":
            return f"keep: best would count epoch {epochs}, which is not evaluated in a longer run"
        if config.training.patience is not None:
            return f"patience would count epoch {epochs}, which is not evaluated in a longer run"
    return ""


def _objection_to_optimizer(optimizer: Mapping[str, Any]) -> str:
    rule, rho_schedule = optimizer["name"], optimizer.get("rho_schedule")
    if rho_schedule in FALLING:
        return f"rho_schedule {rho_schedule} falls until the last epoch"
    if begins_late(optimizer):
        return "its average of the weights begins after a share of the epochs"
    kind = CATALOGUE.variants.kind(rule) if rule in CATALOGUE.variants else None
    if kind is not None and kind.uses_progress:
        return f"{rule} looks at how much of the training is over"
    if kind is not None and plugin_digests(kind):
        return f"nobody knows whether {rule}, which a plug-in file registers, depends on the number of epochs"
    return ""


def go_on(config: RunConfig, folder: RunFolder, shorter: RunFolder, on_notice: Callable[[str], None]) -> None:
    """Give a run the files of a finished one of fewer epochs, as if it had been interrupted there; that one stays.

    What was measured after the last epoch alone, for it was the last, is left out of the table.

    Args:
        config: the longer run.
        folder: its folder, which has no checkpoint yet.
        shorter: that of the finished run.
        on_notice: is told in a sentence where it begins anew after all.

    Raises:
        ResultsError: the files cannot be written.
    """
    try:
        status = shorter.read_status()
        earlier = of_epochs(config, int(status.get("epochs") or 0))
        content = checked_state(checkpoint.load(shorter.checkpoint), earlier.document(), shorter.checkpoint)
        best = None
        if config.training.keep == "best":
            best = checked_state(checkpoint.load(shorter.best), earlier.document(), shorter.best)
    except (CheckpointError, ResultsError) as error:
        on_notice(f"It begins anew, and does not go on from {shorter.path.name}: {str(error).partition(';')[0]}.")
        return
    kept = {key: value for key, value in status.items() if key not in ("metrics_digest", "best_epoch", "replayed")}
    changed = {"status": "interrupted", "identity": config.identity, "epochs": config.training.epochs}
    folder.write_status({**kept, **changed, "goes_on_from": shorter.path.name})
    if best is not None:
        write_atomic(folder.best, _of(config, best))
    write_atomic(folder.checkpoint, _of(config, content))  # the last, for with it the run is one to be continued


def _of(config: RunConfig, state: dict[str, Any]) -> bytes:
    """The file of a checkpoint as one of this run."""
    rows = [*state["rows"][:-1], *(_as_before_the_end(config, row) for row in state["rows"][-1:])]
    return checkpoint.sealed(checkpoint.encode({**state, "config": config.document(), "rows": rows}))


def _as_before_the_end(config: RunConfig, row: EpochMetrics) -> EpochMetrics:
    """The last row of a shorter run without what is not measured after that epoch of the longer one."""
    epoch = row["epoch"]
    assert epoch is not None
    if ends_with(config.training, row):
        return row
    evaluated = {key for key in row if key.startswith(("validation_", "test_"))} | {"eval_seconds"}
    trained = {key for key in row if key.startswith("train_")} | _OF_TRAINING
    every, kept = config.sharpness.every, set(row)
    if not config.evaluate.is_due(int(epoch), last=False):
        kept -= evaluated
    if every and int(epoch) % every:
        kept &= trained | evaluated
    return {key: value for key, value in row.items() if key in kept}
