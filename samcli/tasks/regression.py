"""A real number."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from samcli.double import in_double
from samcli.errors import ConfigError
from samcli.tasks._base import Task


@dataclass(frozen=True)
class Regression(Task):
    """A real number: mean squared error, and the coefficient of determination.

    Over all n examples together::

        R² = 1 - Σ (y - f)² / Σ (y - ȳ)²

    It is 1 for a perfect prediction, 0 for that of the mean, and undefined (nan) where all targets are equal.

    Targets may be standardised: what is trained on is (y - mean) / std, and `prediction` leads back to y. The loss is
    that of the standardised targets; R² is the same for both.

    Attributes:
        mean: that was subtracted from the targets.
        std: that they were divided by then.
        unit: of the targets as they were, for people; empty if nobody said.

    >>> task, target = Regression(), torch.tensor([0.0, 1.0, 2.0])
    >>> task.score(task.statistics(target[:, None], target), n=3)
    1.0
    >>> Regression(mean=20.0, std=5.0, unit="°C").prediction(torch.tensor([[0.0], [2.0]]))
    tensor([20., 30.])

    Raises:
        ConfigError: a mean or a std that no targets have.
    """

    mean: float = 0.0
    std: float = 1.0
    unit: str = ""
    name: ClassVar[str] = "regression"
    metric: ClassVar[str] = "r2"
    loss_name: ClassVar[str] = "mean squared error"
    target_type: ClassVar[torch.dtype] = torch.float32

    def __post_init__(self) -> None:
        if not (math.isfinite(self.mean) and 0.0 < self.std < math.inf):
            raise ConfigError(
                f"Targets cannot have the mean {self.mean:g} and the standard deviation {self.std:g}; a mean must be "
                "finite, and what targets are divided by finite and above 0."
            )

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

    def prediction(self, output: Tensor) -> Tensor:
        return output.squeeze(1) * self.std + self.mean

    def soft(self, target: Tensor) -> Tensor:
        return target

    def statistics(self, output: Tensor, target: Tensor) -> Tensor:
        # float64: Σy² - (Σy)²/n loses digits where the mean is large beside the spread
        y = in_double(target)
        error = in_double(output.squeeze(1)) - y
        return torch.stack([error.square().sum(), y.sum(), y.square().sum()])

    def score(self, sums: Tensor, n: int) -> float:
        error, sum_y, sum_y2 = sums.tolist()
        spread = sum_y2 - sum_y**2 / n
        return float(1.0 - error / spread) if spread > 0.0 else math.nan
