"""Stable SAM: sharpness-aware minimisation with a renormalised gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, TwoPass
from samcli.weights.geometry import global_norm, steepest_ascent


@VARIANTS.register("stable-sam")
@dataclass(frozen=True, kw_only=True)
class StableSAM(TwoPass):
    """SAM's direction with the length of the plain gradient, which admits larger learning rates.

    ::

        ε = ρ g / ‖g‖₂,   g_SAM = ∇L(w + ε)
        w ← base(w, ‖g‖₂/‖g_SAM‖₂ g_SAM)

    with g = ∇L(w) and the norms over all parameters together. Tan, Zhang, Liu, Wang, Hao, "Stabilizing Sharpness-Aware
    Minimization Through A Simple Renormalization Strategy", JMLR 2025 (arXiv 2024), where it is called SSAM. The rule
    and ρ = 0.05 are as in the authors' code for SAM. The example with that code is its other form, for the ascent of
    `usam`, ε = ρ g, which is not offered.

    Cost: two forward and backward passes. State: none.

    >>> from samcli.optim.example import Bowl
    >>> bowl = Bowl((1.0, 3.2), curvatures=((3.0, 1.25),))  # ρ = 5: g = (3, 4), g_SAM = (12, 9)
    >>> bowl.after("stable-sam", rho=5.0)  # w - (4, 3)
    tensor([-3.0000,  0.2000])
    """

    paper: ClassVar[str] = "Tan et al., JMLR"
    year: ClassVar[int] = 2025
    parts_apart: ClassVar[bool] = True
    repeats: ClassVar[bool] = True

    def ascend(self, step: Step) -> list[Tensor]:
        return steepest_ascent(step.ascent_gradient, step.rho)

    def descend(self, step: Step) -> list[Tensor]:
        gradient = step.gradient_at(self.ascend(step))
        length = global_norm(gradient)
        torch._foreach_mul_(gradient, torch.where(length > 0, step.gradient_norm / length, 0.0))
        return gradient
