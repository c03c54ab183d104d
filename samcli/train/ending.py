"""How a run ends: after its last epoch, at a training loss, by early stopping, or because it has diverged."""

from __future__ import annotations

import torch

from samcli.config.schema import Training
from samcli.metrics import LOSSES
from samcli.runs import EpochMetrics
from samcli.train.early_stopping import stopped


def ends_with(training: Training, row: EpochMetrics) -> bool:
    """Whether a run ends with the epoch of this row.

    >>> row = {"epoch": 3, "train_loss": 0.5}
    >>> ends_with(Training(epochs=9), row), ends_with(Training(epochs=9, stop_at_train_loss=0.6), row)
    (False, True)
    """
    epoch, loss, stop = row["epoch"], row["train_loss"], training.stop_at_train_loss
    assert epoch is not None
    assert loss is not None
    return epoch >= training.epochs or (stop is not None and loss <= stop) or stopped(row, training.patience)


def diverged(row: EpochMetrics) -> bool:
    """Whether any loss of the row is infinite or not a number.

    >>> diverged({"train_loss": 0.5, "validation_loss": None}), diverged({"train_loss": float("nan")})
    (False, True)
    """
    losses = [loss for name in LOSSES if (loss := row.get(name)) is not None]
    return not all(torch.isfinite(torch.tensor(loss)) for loss in losses)
