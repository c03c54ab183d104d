"""What is predicted: the loss, and the score that people read."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from samcli.errors import ConfigError


class Task(ABC):
    """A kind of prediction: how many outputs it needs, its loss, and its score.

    Attributes:
        name: of the task.
        metric: the score, as in the columns `test_accuracy` and `test_r2`.
        loss_name: what `loss` computes, with its unit.
        classes: how many classes there are; None for a regression.
        outputs: how many numbers the model gives for each example.
    """

    name: ClassVar[str]
    metric: ClassVar[Literal["accuracy", "r2"]] = "accuracy"
    loss_name: ClassVar[str] = "cross-entropy in nats"

    @property
    @abstractmethod
    def classes(self) -> int | None: ...

    @property
    @abstractmethod
    def outputs(self) -> int: ...

    @abstractmethod
    def loss(self, output: Tensor, target: Tensor, label_smoothing: float = 0.0) -> Tensor:
        """The mean loss over a batch, a tensor without dimensions.

        Args:
            output: of the model, (N, outputs).
            target: (N,), or what `soft` makes of it.
            label_smoothing: the share a of the target that goes to all classes alike, from 0 to 1.

        Raises:
            ConfigError: label smoothing of a regression.
        """

    @abstractmethod
    def soft(self, target: Tensor) -> Tensor:
        """The targets as floating-point numbers that can be averaged, as mixup does."""

    @abstractmethod
    def statistics(self, output: Tensor, target: Tensor) -> Tensor:
        """Sums over a batch from which `score` is computed; they add up over batches of any sizes.

        Takes the same tensors as `loss`. The sums are a float64 vector on the device of the output, and nothing waits
        for the device.
        """

    @abstractmethod
    def score(self, total: Tensor, n: int) -> float:
        """The score of `n` examples from the total of their statistics; waits for the device."""


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

    def soft(self, target: Tensor) -> Tensor:
        return F.one_hot(target, self.number).float()

    def statistics(self, output: Tensor, target: Tensor) -> Tensor:
        predicted = output.argmax(1)
        hits = target.gather(1, predicted[:, None]) if target.is_floating_point() else predicted == target
        return hits.sum(dtype=torch.float64).reshape(1)

    def score(self, total: Tensor, n: int) -> float:
        return total.item() / n


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

    def soft(self, target: Tensor) -> Tensor:
        return target.float()

    def statistics(self, output: Tensor, target: Tensor) -> Tensor:
        hits = torch.where(output.squeeze(1) > 0, target, 1 - target)
        return hits.sum(dtype=torch.float64).reshape(1)

    def score(self, total: Tensor, n: int) -> float:
        return total.item() / n


@dataclass(frozen=True)
class Regression(Task):
    """A real number: mean squared error, and the coefficient of determination.

    Over all n examples together::

        R² = 1 - Σ (y - f)² / Σ (y - ȳ)²

    It is 1 for a perfect prediction, 0 for that of the mean, and undefined (nan) where all targets are equal.

    >>> task, target = Regression(), torch.tensor([0.0, 1.0, 2.0])
    >>> task.score(task.statistics(target[:, None], target), n=3)
    1.0
    """

    name: ClassVar[str] = "regression"
    metric: ClassVar[Literal["accuracy", "r2"]] = "r2"
    loss_name: ClassVar[str] = "mean squared error"

    @property
    def classes(self) -> None:
        return None

    @property
    def outputs(self) -> int:
        return 1

    def loss(self, output: Tensor, target: Tensor, label_smoothing: float = 0.0) -> Tensor:
        if label_smoothing:
            raise ConfigError("A regression has no labels to smooth; leave label_smoothing out or choose a data set "
                              "with classes.")  # fmt: skip
        return F.mse_loss(output.squeeze(1), target.to(output.dtype))

    def soft(self, target: Tensor) -> Tensor:
        return target

    def statistics(self, output: Tensor, target: Tensor) -> Tensor:
        # float64: Σy² - (Σy)²/n loses digits where the mean is large beside the spread
        y = target.double()
        error = output.squeeze(1).double() - y
        return torch.stack([error.square().sum(), y.sum(), y.square().sum()])

    def score(self, total: Tensor, n: int) -> float:
        error, sum_y, sum_y2 = total.tolist()
        spread = sum_y2 - sum_y**2 / n
        return float(1.0 - error / spread) if spread > 0.0 else math.nan
