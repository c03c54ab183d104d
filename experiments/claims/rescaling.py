"""The optimizer of rescaling.yaml: it trains nothing, and writes a network in other weights of the same function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.optim import Optimizer

from samcli.optim.base import BASES, Base, Parameters
from samcli.registry import option


class Rescaling(Optimizer):
    """W₁ ← αW₁, b₁ ← αb₁, W₂ ← W₂/α in every step: relu(αz) = α relu(z), so that the network computes what it did.

    Args:
        parameters: of a network of dense layers with ReLU, in their order.
        factor: α > 0.
    """

    def __init__(self, parameters: Parameters, factor: float) -> None:
        super().__init__(parameters, {"lr": 0.0, "factor": factor})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> Any:
        """Rescale the first two layers."""
        del closure
        first, bias, second = [p for group in self.param_groups for p in group["params"]][:3]
        factor = self.param_groups[0]["factor"]
        first.mul_(factor)
        bias.mul_(factor)
        second.div_(factor)


@BASES.register("rescaling")
@dataclass(frozen=True, kw_only=True)
class Rescaled(Base):
    """One layer of a ReLU network times a factor and the next divided by it: other weights of the same function."""

    lr: float = option(0.0, "none: the gradient has no part in it", minimum=0.0)
    factor: float = option(1.0, "α, of the first layer; a power of two, which no rounding touches", above=0.0)

    def build(self, parameters: Parameters) -> Optimizer:
        return Rescaling(parameters, self.factor)
