"""The base of all tasks: the loss to train with, and the score that people read."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import torch
from torch import Tensor

from samcli.errors import ConfigError
from samcli.losses import MeanLoss
from samcli.metrics import score_named


class Task(ABC):
    """A kind of prediction: how many outputs it needs, its loss, and its score.

    Attributes:
        name: of the task.
        metric: the name of the score among `samcli.metrics.task_scores`, hence in the columns, such as `test_accuracy`.
        loss_name: what `loss` computes, with its unit.
        target_type, target_dims: those of the targets, which are (N,) unless a task says otherwise.
    """

    name: ClassVar[str]
    metric: ClassVar[str] = "accuracy"
    loss_name: ClassVar[str] = "cross-entropy in nats"
    target_type: ClassVar[torch.dtype] = torch.int64
    target_dims: ClassVar[int] = 1

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        score_named(cls.metric)  # a class whose score has no columns is refused at once

    def document(self) -> dict[str, Any]:
        """The task in plain values: its name, and what it was made with."""
        made_with: dict[str, Any] = dataclasses.asdict(self) if dataclasses.is_dataclass(self) else {}
        return {"name": self.name, **made_with}

    @property
    @abstractmethod
    def classes(self) -> int | None:
        """The number of classes; None for anything else, such as a regression."""

    @property
    @abstractmethod
    def outputs(self) -> int:
        """The numbers that the model gives for each example."""

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

    def weighted_loss(self, weights: Tensor, label_smoothing: float = 0.0) -> MeanLoss:
        """The loss with a weight for each class: that of torch's `CrossEntropyLoss(weight, label_smoothing=...)`.

        A batch of class numbers divides by the sum of the weights of its targets. Targets of `soft`, which are shares
        of classes, count each class by its share and weight and divide by the number of examples, as torch does.

        Args:
            weights: (classes,), at least 0.
            label_smoothing: as for `loss`.

        Raises:
            ConfigError: what is predicted has no classes, or its loss no weights.
        """
        raise ConfigError(f"A {self.name} has no classes to weigh; leave class_weight out.")

    def squared(self) -> Task:
        """The same task with the squared error as its loss, see `samcli.tasks.classification.SquaredClassification`.

        Raises:
            ConfigError: it has no such loss.
        """
        raise ConfigError(f"loss: squared is for classes, and this is a {self.name}; leave loss out.")

    def prediction(self, output: Tensor) -> Tensor:
        """What the model says, in the user's terms: probabilities of the classes, (N, classes); or values, (N,).

        Unless a task says otherwise, there is an output for each class, of which the softmax is taken, or one for the
        value.
        """
        return output.squeeze(1) if self.classes is None else output.softmax(1)

    def predicted(self, output: Tensor) -> Tensor:
        """The classes that `score` counts as predicted, (N,) int64; of a regression the same as `prediction`."""
        return self.prediction(output) if self.classes is None else self.prediction(output).argmax(1)

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
    def score(self, sums: Tensor, n: int) -> float:
        """The score of `n` examples from the sums of their `statistics`; waits for the device."""
