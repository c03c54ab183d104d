"""SSAM-D against a plain twin."""

import math

import pytest
import torch
from torch import Tensor
from twins import CheckTwin, Point, largest

from samcli.optim import BASES


@pytest.mark.parametrize("base", list(BASES))
@pytest.mark.parametrize("sparsity", [0.3, 0.8])
def test_ssam_d_is_its_plain_twin(check_twin: CheckTwin, sparsity: float, base: str) -> None:
    def rule(point: Point) -> Tensor:
        g = point.grad(point.w)
        size = int(len(g) * (1 - sparsity))
        if point.t == 0:
            point.state["mask"] = largest(point.noise(), size)
        elif point.t % 3 == 0:
            mask, noise = point.state["mask"], point.noise()
            dropped = min(int(size * 0.5 * (1 + math.cos(math.pi * point.progress)) / 2), len(g) - size)
            stay = largest(torch.where(mask == 1, g.abs(), -1.0), size - dropped)
            come = largest(torch.where(mask == 1, -torch.inf, noise), dropped)
            point.state["mask"] = stay + come
        return point.grad(point.w + 0.2 * point.state["mask"] * g / g.norm())

    check_twin("sparse-sam-d", rule, base, rho=0.2, sparsity=sparsity, k=3, drop=0.5)
