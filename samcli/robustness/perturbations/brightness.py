"""More light."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from samcli.robustness.base import PERTURBATIONS
from samcli.robustness.perturbations._corruption import Corruption


@PERTURBATIONS.register("brightness")
@dataclass(frozen=True, kw_only=True)
class Brightness(Corruption):
    """Accuracy where the brightest channel of each pixel is 0.05 to 0.3 brighter, at the same hue and saturation.

    That is the value V of HSV, up to 1; a black pixel becomes grey.
    """

    LEVELS: ClassVar[tuple[float, ...]] = (0.05, 0.1, 0.15, 0.2, 0.3)

    def corrupted(self, images: Tensor, level: float, generators: Iterator[torch.Generator]) -> Tensor:
        value = images.amax(1, keepdim=True)
        brighter = (value + level).clamp(max=1.0)
        return torch.where(value > 0, images * (brighter / value.clamp(min=1e-6)), brighter)
