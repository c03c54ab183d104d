"""Normal noise on pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from samcli.robustness.base import PERTURBATIONS
from samcli.robustness.perturbations._corruption import Corruption, drawn


@PERTURBATIONS.register("gaussian-noise")
@dataclass(frozen=True, kw_only=True)
class GaussianNoise(Corruption):
    """Accuracy with normal noise on each channel of each pixel, of standard deviation 0.04 to 0.1."""

    LEVELS: ClassVar[tuple[float, ...]] = (0.04, 0.06, 0.08, 0.09, 0.10)

    def corrupted(self, images: Tensor, level: float, generators: Iterator[torch.Generator]) -> Tensor:
        return images + level * drawn(images, generators)
