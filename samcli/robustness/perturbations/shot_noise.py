"""The noise of few photons."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from samcli.robustness.base import PERTURBATIONS
from samcli.robustness.perturbations._corruption import Corruption


@PERTURBATIONS.register("shot-noise")
@dataclass(frozen=True, kw_only=True)
class ShotNoise(Corruption):
    """Accuracy where each value p becomes a Poisson count of mean c p, divided by c: 500 to 50 photons for white."""

    LEVELS: ClassVar[tuple[float, ...]] = (500.0, 250.0, 100.0, 75.0, 50.0)

    def corrupted(self, images: Tensor, level: float, generators: Iterator[torch.Generator]) -> Tensor:
        rates = (images * level).cpu()
        counts = [torch.poisson(rate, generator=g) for rate, g in zip(rates, generators, strict=True)]
        return torch.stack(counts).to(images) / level
