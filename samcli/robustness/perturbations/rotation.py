"""Images that are not upright."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from samcli.robustness.base import PERTURBATIONS
from samcli.robustness.perturbations._corruption import Corruption
from samcli.rotation import turned


@PERTURBATIONS.register("rotation")
@dataclass(frozen=True, kw_only=True)
class Rotation(Corruption):
    """Accuracy where each image is turned by 5 to 45 degrees around its middle, to the left or to the right.

    Values between pixels are interpolated linearly, and what comes in is black. Not of Hendrycks and Dietterich.
    """

    LEVELS: ClassVar[tuple[float, ...]] = (5.0, 10.0, 15.0, 30.0, 45.0)

    def corrupted(self, images: Tensor, level: float, generators: Iterator[torch.Generator]) -> Tensor:
        lots = [bool(torch.randint(2, (), generator=g)) for g, _ in zip(generators, images, strict=True)]
        return turned(images, torch.tensor([level if left else -level for left in lots]))
