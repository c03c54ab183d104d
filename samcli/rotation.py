"""Images turned around their middle."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def turned(images: Tensor, degrees: Tensor) -> Tensor:
    """Images turned against the clock by so many degrees each.

    Values between pixels are interpolated linearly, and what comes in from outside is 0.

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
