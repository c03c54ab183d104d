"""Settings of a run that exclude each other: what no single option can check."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from samcli.config.schema import RunConfig, Training
from samcli.config.source import Source
from samcli.config.stages import trainings_of
from samcli.errors import ConfigError
from samcli.metrics import scores_on_request


def check_exclusions(run: RunConfig, source: Source, *, is_stage: bool = False) -> None:
    """Refuse settings of a run, or of a training before it, that exclude each other.

    Args:
        run: all defaults filled in.
        source: the document, for messages.
        is_stage: whether it is a training before a run that is looked at by itself.

    Raises:
        ConfigError: there are such settings.
    """
    check_stop(run.training, run.schedule, run.optimizer, source)
    for number, one in enumerate(trainings_of(run)):
        check_mixing(one.training, one.dataset, source)
        check_patience(one, source)
        if not is_stage:
            metrics = one.evaluate.metrics
            check_labels(one.training, one.dataset, run.model, metrics, source, is_first=number == 0)


BOTH_MIX = "mixup and cutmix both mix the examples of a batch; set mixup: 0 or leave cutmix out of augment."


def check_mixing(training: Training, dataset: Mapping[str, Any], source: Source) -> None:
    """Refuse two ways of mixing the examples of a batch.

    Raises:
        ConfigError: both are asked for.

    >>> check_mixing(Training(mixup=0.2), {"augment": ("crop",)}, Source({}))
    """
    if training.mixup and "cutmix" in dataset.get("augment", ()):
        raise ConfigError(f"{source.where(('mixup',))}: {BOTH_MIX}")


def check_labels(
    training: Training,
    dataset: Mapping[str, Any],
    model: Mapping[str, Any],
    metrics: Iterable[str],
    source: Source,
    *,
    is_first: bool,
) -> None:
    """Refuse labels of a network that are nobody's, and settings that would make use of the labels of the data set.

    Args:
        training: its settings, with those of its `dataset` and `model`.
        dataset: see there.
        model: see there.
        metrics: that it is evaluated by.
        source: the document, for messages.
        is_first: whether no stage came before.

    Raises:
        ConfigError: such settings.

    >>> check_labels(Training(labels="own"), {}, {}, [], Source({}), is_first=False)
    """
    where = source.where(("labels",))
    if training.labels != "own":
        if training.drop != Training.drop:
            raise ConfigError(f"{source.where(('drop',))}: drop leaves out examples of labels: own; leave drop out.")
        return
    if is_first:
        raise ConfigError(
            f"{where}: labels: own are predictions of the network that the stage before left, and no stage comes "
            "before; list it under stages, or leave labels out."
        )
    uses = {
        "keep: best chooses by the labels of the validation part; leave keep out": training.keep == "best",
        "patience stops by the labels of the validation part; leave patience out": training.patience is not None,
        "class_weight counts the labels of the data set; leave class_weight out": training.class_weight is not None,
        "label_noise spoils the labels of the data set; leave label_noise out": bool(dataset.get("label_noise")),
        "model.new_head draws a head that has predicted nothing; leave new_head out": bool(model.get("new_head")),
        "wrong-labels and right-labels are of label noise; leave them out of evaluate.metrics": any(
            scores_on_request()[metric].on_request == "noise" for metric in metrics
        ),
    }
    for clause in (clause for clause, is_used in uses.items() if is_used):
        raise ConfigError(f"{where}: labels: own takes no label of the data set, and {clause}.")


FALLING = ("cosine", "linear")  # schedules of the learning rate and of ρ that end with the last epoch


def check_stop(training: Training, schedule: Mapping[str, Any], optimizer: Mapping[str, Any], source: Source) -> None:
    """Refuse a stop at a training loss with a schedule by which the run would depend on an end it never sees.

    So it is with an average of the weights that begins after a share of the epochs.

    Raises:
        ConfigError: such a schedule, or such an average.

    >>> check_stop(Training(stop_at_train_loss=0.1), {"name": "constant"}, {"name": "sgd"}, Source({}))
    """
    if training.stop_at_train_loss is None:
        return
    for key, name in (("schedule", schedule["name"]), ("optimizer.rho_schedule", optimizer.get("rho_schedule"))):
        if name in FALLING:
            raise ConfigError(
                f"{source.where(('stop_at_train_loss',))}: stop_at_train_loss does not go with {key} {name}, "
                f"which falls until the last of all epochs; set {key} to constant."
            )
    if begins_late(optimizer):
        raise ConfigError(
            f"{source.where(('stop_at_train_loss',))}: stop_at_train_loss does not go with an average that begins "
            "after a share of all epochs; set optimizer.average_from to 0."
        )


def check_patience(run: RunConfig, source: Source) -> None:
    """Refuse early stopping beside what chooses a network of its own, and where one epoch alone is looked at.

    Raises:
        ConfigError: so it is.
    """
    training, optimizer, every = run.training, run.optimizer, run.evaluate.every
    if training.patience is None:
        return
    if 1 < every >= training.epochs:
        raise ConfigError(
            f"{source.where(('patience',))}: patience looks at epochs that are evaluated, and with evaluate.every "
            f"{every} that is the last one alone; set evaluate.every to 1."
        )
    for is_there, what, instead in (
        (training.keep == "best", "keep: best, for it leaves that network already", "leave keep out"),
        (optimizer.get("average") is not None, "an average of the weights, another network", "leave one of them out"),
    ):
        if is_there:
            raise ConfigError(f"{source.where(('patience',))}: patience does not go with {what}; {instead}.")


def begins_late(optimizer: Mapping[str, Any]) -> bool:
    """Whether an optimizer has an average of the weights whose beginning depends on the number of epochs.

    >>> [begins_late({"average": "ema"}), begins_late({"average": "swa"}), begins_late({})]
    [False, True, False]
    """
    share = optimizer.get("average_from")
    return bool(share) or (share is None and optimizer.get("average") == "swa")
