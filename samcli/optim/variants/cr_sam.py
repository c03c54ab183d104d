"""CR-SAM: curvature regularised sharpness-aware minimisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, TwoPass
from samcli.registry import option
from samcli.weights.geometry import steepest_ascent


@VARIANTS.register("cr-sam")
@dataclass(frozen=True, kw_only=True)
class CRSAM(TwoPass):
    """SAM with a penalty on the curvature along the gradient, from a third pass on the other side.

    ::

        ε  = ρ g / ‖g‖₂,   g₊ = ∇L(w + ε),   g₋ = ∇L(w - ε)
        w ← base(w, g₊ + γ (g₊ + g₋ - 2 g) + β (g₊ - g₋))

    with g = ∇L(w). Wu, Luo, Wunsch, "CR-SAM: Curvature Regularized Sharpness-Aware Minimization", AAAI 2024; the rule
    as in the authors' code. By its abstract the paper regularises with a normalised trace of the Hessian, and as far as
    secondary sources tell, with logarithms of such differences, whose gradients are divided by the differences of the
    losses. The code keeps the three losses, but does not divide by them. That form is not offered. γ = β = 0 is SAM.

    Cost: three forward and backward passes. State: none; two gradients are kept over the last pass. Defaults of the
    authors' CIFAR script: ρ = 0.1, γ = 0.1, β = 0.01. Their code counts a batch twice in BatchNorm's running
    statistics, ours once.

    >>> from samcli.optim.example import Bowl
    >>> Bowl((3.0, 4.0)).after("cr-sam", rho=0.5, beta=0.5)  # -(1 + 2 β) ε; second differences are 0 here
    tensor([-0.6000, -0.8000])
    """

    passes: ClassVar[str] = "3"
    memory: ClassVar[str] = "3"
    paper: ClassVar[str] = "Wu et al., AAAI"
    year: ClassVar[int] = 2024
    parts_apart: ClassVar[bool] = True
    reuses_gradient: ClassVar[bool] = True
    repeats: ClassVar[bool] = True

    rho: float = option(0.1, "radius ρ of the neighbourhood; 0 is the base optimizer", minimum=0.0)
    gamma: float = option(0.1, "γ, the weight of the second difference of the gradient", minimum=0.0)
    beta: float = option(0.01, "β, the weight of the first difference of the gradient", minimum=0.0)

    def ascend(self, step: Step) -> list[Tensor]:
        return steepest_ascent(step.ascent_gradient, step.rho)

    def descend(self, step: Step) -> list[Tensor]:
        epsilon = self.ascend(step)
        opposite = list(torch._foreach_neg(epsilon))
        total = step.gradient_at(epsilon)
        below = step.gradient_at(opposite)
        torch._foreach_mul_(total, 1.0 + self.gamma + self.beta)
        torch._foreach_add_(total, below, alpha=self.gamma - self.beta)
        torch._foreach_sub_(total, step.gradient, alpha=2.0 * self.gamma)
        return total
