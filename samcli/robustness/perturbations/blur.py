"""Blur by a normal kernel."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from samcli.robustness.base import PERTURBATIONS
from samcli.robustness.perturbations._corruption import SIDE, Corruption, shorter_side


@PERTURBATIONS.register("blur")
@dataclass(frozen=True, kw_only=True)
class Blur(Corruption):
    """Accuracy after a normal kernel of standard deviation 0.4 to 1 pixel of a side of 32; borders are reflected."""

    LEVELS: ClassVar[tuple[float, ...]] = (0.4, 0.6, 0.7, 0.8, 1.0)

    def corrupted(self, images: Tensor, level: float, generators: Iterator[torch.Generator]) -> Tensor:
        side = shorter_side(images)
        sigma = level * side / SIDE
        reach = min(max(1, math.ceil(4.0 * sigma)), side - 1)
        if reach < 1:  # one pixel is as blurred as it can be
            return images
        places = torch.arange(-reach, reach + 1, dtype=images.dtype, device=images.device)
        kernel = torch.exp(-0.5 * (places / sigma).square())
        kernel = (kernel / kernel.sum()).expand(images.shape[1], 1, 1, -1)
        for _ in range(2):  # along one side, then along the other
            padded = F.pad(images, (reach, reach, 0, 0), mode="reflect")
            images = F.conv2d(padded, kernel, groups=images.shape[1]).transpose(2, 3)
        return images
