"""Fewer pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from samcli.robustness.base import PERTURBATIONS
from samcli.robustness.perturbations._corruption import Corruption


@PERTURBATIONS.register("pixelate")
@dataclass(frozen=True, kw_only=True)
class Pixelate(Corruption):
    """Accuracy where the sides have 0.95 to 0.65 of their pixels, means of areas, and are drawn at the old size."""

    LEVELS: ClassVar[tuple[float, ...]] = (0.95, 0.9, 0.85, 0.75, 0.65)

    def corrupted(self, images: Tensor, level: float, generators: Iterator[torch.Generator]) -> Tensor:
        few = [max(1, int(side * level)) for side in images.shape[2:]]
        return F.interpolate(F.interpolate(images, few, mode="area"), tuple(images.shape[2:]), mode="nearest-exact")
