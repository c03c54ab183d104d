"""The average of a run's weights between epochs: its BatchNorm statistics, and its part of a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from samcli.config import RunConfig
from samcli.data import Dataset
from samcli.optim import WeightAverage
from samcli.train.seeding import seed_for


def recalibrate_average(average: WeightAverage | None, config: RunConfig, data: Dataset, epoch: int) -> bool:
    """Give an average BatchNorm statistics of its own, by the batches of an epoch as they were trained on.

    Order, augmentation and dropout are functions of the seed and the epoch, and no other draw comes out otherwise.

    Args:
        average: None, or of no network yet, is left alone.
        config: the run.
        data: its data set.
        epoch: the one just trained.

    Returns:
        Whether a pass was made.
    """
    if average is None or not average.networks:
        return False
    training = config.training
    batches = data.epoch(epoch, training.batch_size, config.seed, training.mixup)
    return average.recalibrate(batches, seed_for(config.seed, "average", epoch))


def tensors_of(model: nn.Module, average: WeightAverage | None) -> dict[str, Any]:
    """The entries of a checkpoint with the tensors of a network.

    `model` is the network that the rows tell of, for whoever reads it. Where that is an average, `average` has how many
    networks it is of and the weights that training goes on from.

    >>> list(tensors_of(nn.Linear(1, 1), None))
    ['model']
    """
    if average is None or not average.networks:
        return {"model": model.state_dict()}
    own = {"networks": average.networks, "goes_on_from": model.state_dict()}
    return {"model": average.network.state_dict(), "average": own}


def restore_tensors(model: nn.Module, average: WeightAverage | None, state: Mapping[str, Any], step: int) -> None:
    """Give a model, and its average if it has one, the tensors of a checkpoint, see `tensors_of`.

    Args:
        model: the one under training.
        average: of its weights.
        state: the content of the checkpoint.
        step: after which it was written, counted from 1 over the whole run.

    Raises:
        ValueError: the average is not of as many networks as there are after that step.
    """
    own = state.get("average")
    model.load_state_dict(own["goes_on_from"] if own else state["model"])
    if average is not None:
        average.restore(state["model"], own["networks"] if own else 0, step)
