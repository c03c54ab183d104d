"""Images that are not upright."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from samcli.robustness.base import PERTURBATIONS
from samcli.robustness.perturbations._corruption import Corruption


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


def turned(images: Tensor, degrees: Tensor) -> Tensor:
    """Images turned against the clock by so many degrees each.

    >>> turned(torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), torch.tensor([90.0])).round(decimals=4)
    tensor([[[[2., 4.],
              [1., 3.]]]])

    Args:
        images: (B, C, H, W).
        degrees: (B,).
    """
    height, width = images.shape[2:]
    angle = (degrees * (math.pi / 180.0)).to(images)
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    # from where each pixel comes, in coordinates from -1 to 1 along each side
    rows = [torch.stack([cos, -sin * (height / width), zero], 1), torch.stack([sin * (width / height), cos, zero], 1)]
    grid = F.affine_grid(torch.stack(rows, 1), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
