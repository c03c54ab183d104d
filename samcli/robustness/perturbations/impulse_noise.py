"""Salt and pepper."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from samcli.robustness.base import PERTURBATIONS
from samcli.robustness.perturbations._corruption import Corruption, drawn


@PERTURBATIONS.register("impulse-noise")
@dataclass(frozen=True, kw_only=True)
class ImpulseNoise(Corruption):
    """Accuracy where a share of 1 to 7 % of the values is 0 or 1, each with half the chance (salt and pepper)."""

    LEVELS: ClassVar[tuple[float, ...]] = (0.01, 0.02, 0.03, 0.05, 0.07)

    def corrupted(self, images: Tensor, level: float, generators: Iterator[torch.Generator]) -> Tensor:
        lot = drawn(images, generators, uniform=True)
        return torch.where(lot < level / 2, 0.0, torch.where(lot < level, 1.0, images))
