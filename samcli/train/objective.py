"""The loss that a run trains, with weights of classes where it asks for them."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from samcli.config.schema import Training
from samcli.data import Dataset
from samcli.losses import Loss
from samcli.tasks import Task


def training_loss(training: Training, data: Dataset) -> Loss:
    """The mean loss of a batch of training examples, with label smoothing.

    Args:
        training: the settings.
        data: whose training part has the classes that are weighed.

    Raises:
        ConfigError: weights of classes for a regression.
    """
    return _loss(training, data, training.label_smoothing)


def measured_loss(training: Training, data: Dataset) -> Loss:
    """The same without label smoothing, as the sharpness of it is measured.

    >>> from pathlib import Path
    >>> from samcli.data import DATASETS, load
    >>> wine = load(DATASETS.create("wine"), seed=0, data_dir=Path(), device="cpu")
    >>> measured_loss(Training(), wine) == wine.task.loss
    True

    Raises:
        ConfigError: as for `training_loss`.
    """
    return _loss(training, data, 0.0)


def loss_name(training: Training, task: Task) -> str:
    """What `measured_loss` computes, with its unit.

    >>> from samcli.tasks import Binary
    >>> loss_name(Training(class_weight="balanced"), Binary())
    'class-weighted cross-entropy in nats'
    """
    return f"class-weighted {task.loss_name}" if training.class_weight else task.loss_name


def _loss(training: Training, data: Dataset, smoothing: float) -> Loss:
    task = data.task
    if training.class_weight:
        return task.weighted_loss(balanced_weights(data.train.targets, task.classes or 0), smoothing)
    return partial(task.loss, label_smoothing=smoothing) if smoothing else task.loss


def balanced_weights(targets: Tensor, classes: int) -> Tensor:
    """The weight n / (C n_c) of each class, (classes,) float32: all classes count alike, and on average examples by 1.

    C is the number of classes that have examples; one without any has the weight 0.

    Args:
        targets: (n,) class numbers, as they are trained on.
        classes: how many there may be.

    >>> balanced_weights(torch.tensor([0, 0, 0, 2]), 3)
    tensor([0.6667, 0.0000, 2.0000])
    """
    if not classes:  # a regression, whose loss says so
        return torch.ones(0, device=targets.device)
    counts = targets.cpu().bincount(minlength=classes).double()
    there = counts > 0
    weights = torch.where(there, len(targets) / (there.sum() * counts.clamp(min=1.0)), 0.0)
    return weights.float().to(targets.device)
