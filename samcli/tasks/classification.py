"""One of several classes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from samcli.double import where_double_is
from samcli.errors import ConfigError
from samcli.losses import MeanLoss, mean_loss
from samcli.tasks._base import Task


@dataclass(frozen=True)
class Classification(Task):
    """One of several classes: softmax cross-entropy, and the fraction predicted rightly.

    Targets are class numbers, (N,) int64, or class probabilities, (N, classes). With probabilities an example counts
    as right with the probability of the class that was predicted.

    >>> task = Classification(3)
    >>> output = torch.tensor([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    >>> task.score(task.statistics(output, torch.tensor([0, 2])), n=2)
    0.5
    """

    number: int
    name: ClassVar[str] = "classification"

    @property
    def classes(self) -> int:
        return self.number

    @property
    def outputs(self) -> int:
        return self.number

    def loss(self, output: Tensor, target: Tensor, label_smoothing: float = 0.0) -> Tensor:
        return F.cross_entropy(output, target, label_smoothing=label_smoothing)

    def weighted_loss(self, weights: Tensor, label_smoothing: float = 0.0) -> MeanLoss:
        loss = mean_loss(partial(F.cross_entropy, weight=weights, label_smoothing=label_smoothing))
        assert loss is not None
        return loss

    def predicted(self, output: Tensor) -> Tensor:
        return output.argmax(1)

    def soft(self, target: Tensor) -> Tensor:
        return F.one_hot(target, self.number).float()

    def statistics(self, output: Tensor, target: Tensor) -> Tensor:
        predicted = self.predicted(output)
        hits = target.gather(1, predicted[:, None]) if target.is_floating_point() else predicted == target
        return where_double_is(hits).sum(dtype=torch.float64).reshape(1)

    def score(self, sums: Tensor, n: int) -> float:
        return sums.item() / n

    def squared(self) -> SquaredClassification:
        return SquaredClassification(self.number)


@dataclass(frozen=True)
class SquaredClassification(Classification):
    """One of several classes by least squares: ½ ‖f(x) - e_y‖², the mean over examples; e_y is 1 at the class, else 0.

    The loss of much of what is known of the edge of stability (Cohen et al., ICLR 2021), and a rival of cross-entropy
    (Hui and Belkin, ICLR 2021). The outputs are no logits: which is the largest counts, and no probability.

    >>> task = Classification(2).squared()
    >>> task.loss(torch.tensor([[1.0, 0.0], [0.0, 0.0]]), torch.tensor([0, 1])), task.document()["name"]
    (tensor(0.2500), 'classification')
    """

    loss_name: ClassVar[str] = "half squared distance"

    def loss(self, output: Tensor, target: Tensor, label_smoothing: float = 0.0) -> Tensor:
        if label_smoothing:
            raise ConfigError("loss: squared has no label smoothing; leave one of the two out.")
        wanted = target if target.is_floating_point() else self.soft(target)
        return 0.5 * (output - wanted).square().sum(1).mean()

    def weighted_loss(self, weights: Tensor, label_smoothing: float = 0.0) -> MeanLoss:
        raise ConfigError("loss: squared has no weights of classes; leave class_weight out.")

    def squared(self) -> SquaredClassification:
        return self
