"""One of two classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from samcli.double import where_double_is
from samcli.losses import MeanLoss
from samcli.tasks._base import Task
from samcli.tasks._weighted import weighted_binary


@dataclass(frozen=True)
class Binary(Task):
    """One of two classes from one logit: logistic loss, and the fraction predicted rightly.

    Targets are 0 or 1, (N,) int64, or the probability of class 1, (N,) float. Label smoothing turns y into
    y(1 - a) + a/2, which is what `Classification` does for two classes.

    >>> Binary().loss(torch.tensor([[0.0]]), torch.tensor([1]))  # log 2
    tensor(0.6931)
    """

    name: ClassVar[str] = "binary classification"

    @property
    def classes(self) -> int:
        return 2

    @property
    def outputs(self) -> int:
        return 1

    def loss(self, output: Tensor, target: Tensor, label_smoothing: float = 0.0) -> Tensor:
        smooth = target.to(output.dtype) * (1.0 - label_smoothing) + 0.5 * label_smoothing
        return F.binary_cross_entropy_with_logits(output.squeeze(1), smooth)

    def weighted_loss(self, weights: Tensor, label_smoothing: float = 0.0) -> MeanLoss:
        return weighted_binary(weights, label_smoothing)

    def prediction(self, output: Tensor) -> Tensor:
        logit = output.squeeze(1)
        return torch.stack([(-logit).sigmoid(), logit.sigmoid()], 1)

    def predicted(self, output: Tensor) -> Tensor:
        return (output.squeeze(1) > 0).long()

    def soft(self, target: Tensor) -> Tensor:
        return target.float()

    def statistics(self, output: Tensor, target: Tensor) -> Tensor:
        hits = torch.where(output.squeeze(1) > 0, target, 1 - target)
        return where_double_is(hits).sum(dtype=torch.float64).reshape(1)

    def score(self, sums: Tensor, n: int) -> float:
        return sums.item() / n
