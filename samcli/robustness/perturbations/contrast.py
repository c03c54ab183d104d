"""Less contrast."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from samcli.robustness.base import PERTURBATIONS
from samcli.robustness.perturbations._corruption import Corruption


@PERTURBATIONS.register("contrast")
@dataclass(frozen=True, kw_only=True)
class Contrast(Corruption):
    """Accuracy where the distance of each value to the mean of its channel is 0.75 to 0.15 of what it was."""

    LEVELS: ClassVar[tuple[float, ...]] = (0.75, 0.5, 0.4, 0.3, 0.15)

    def corrupted(self, images: Tensor, level: float, generators: Iterator[torch.Generator]) -> Tensor:
        mean = images.mean((2, 3), keepdim=True)
        return mean + level * (images - mean)
