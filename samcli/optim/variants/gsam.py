"""GSAM: surrogate gap guided sharpness-aware minimisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, TwoPass
from samcli.registry import option
from samcli.weights.geometry import rejection, steepest_ascent


@VARIANTS.register("gsam")
@dataclass(frozen=True, kw_only=True)
class GSAM(TwoPass):
    """SAM that also shrinks the gap between the loss nearby and at the weights, without raising the loss nearby.

    ::

        ε   = ρ g / ‖g‖₂,   g_p = ∇L(w + ε)
        g_⊥ = g - ⟨g, g_p⟩/‖g_p‖² g_p          (the part of g orthogonal to g_p)
        w ← base(w, g_p - α g_⊥)

    with g = ∇L(w). Zhuang, Gong, Yuan, Cui, Adam, Dvornek, Tatikonda, Duncan, Liu, "Surrogate Gap Minimization Improves
    Sharpness-Aware Training", ICLR 2022; the rule as in the authors' PyTorch and JAX code. α = 0 is SAM.

    Cost: two forward and backward passes. State: none; the first gradient is kept over the second pass. The authors
    let ρ follow the learning rate between ρ_min and ρ_max; `rho_schedule: lr` does so with ρ_min = 0, the default here
    is a constant ρ. Their CIFAR-10 example has α = 0.4 with ρ = 2 in a ball scaled by |w|, their ViT on ImageNet
    α = 0.6 with ρ from 0.6 down to 0.1; no figure of theirs for the plain ball on CIFAR is known here, so ρ is SAM's.

    >>> from samcli.optim.example import Bowl
    >>> bowl = Bowl((1.0, 2.0), curvatures=((3.0, 2.0),))  # ρ = 5: g = (3, 4), g_p = (12, 12), g_⊥ = (-0.5, 0.5)
    >>> bowl.after("gsam", rho=5.0, alpha=1.0) - bowl.after("gsam", rho=5.0, alpha=0.0)
    tensor([-0.5000,  0.5000])
    """

    memory: ClassVar[str] = "2"
    paper: ClassVar[str] = "Zhuang et al., ICLR"
    year: ClassVar[int] = 2022
    parts_apart: ClassVar[bool] = True
    takes_sparse: ClassVar[bool] = True
    reuses_gradient: ClassVar[bool] = True
    repeats: ClassVar[bool] = True

    alpha: float = option(0.4, "α, how much of the orthogonal part of the gradient is ascended; 0 is SAM", minimum=0.0)

    def ascend(self, step: Step) -> list[Tensor]:
        return steepest_ascent(step.ascent_gradient, step.rho)

    def descend(self, step: Step) -> list[Tensor]:
        perturbed = step.gradient_at(self.ascend(step))
        torch._foreach_sub_(perturbed, torch._foreach_mul(rejection(step.gradient, perturbed), self.alpha))
        return perturbed
