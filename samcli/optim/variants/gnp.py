"""GNP: penalising the gradient norm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, TwoPass
from samcli.registry import option
from samcli.weights.geometry import steepest_ascent


@VARIANTS.register("gnp")
@dataclass(frozen=True, kw_only=True)
class GNP(TwoPass):
    """Descend the loss plus a multiple of its gradient's norm, the Hessian by a finite difference.

    ::

        ε = ρ g / ‖g‖₂
        w ← base(w, (1 - α) g + α ∇L(w + ε))

    with g = ∇L(w). To first order in ρ that is the gradient of L + α ρ ‖∇L‖. Zhao, Zhang, Hu, "Penalizing Gradient
    Norm for Efficiently Improving Generalization in Deep Learning", ICML 2022, where ρ is called r, and the weight of
    the norm λ = α ρ; the rule as the authors give it with their code. In that code itself the first g has the length 1
    unless `norm_perturbations` is turned off. α = 1 is SAM.

    Cost: two forward and backward passes. State: none; the first gradient is kept over the second pass. The authors'
    recipes: α = 0.8, with ρ = 0.1 for CIFAR-10 and ρ = 0.05 for ImageNet (ResNet-50). They report that with Adam and
    vision transformers the penalty does harm unless ρ rises from 0 at the start: set `rho_warmup_epochs`.

    >>> from samcli.optim.example import Bowl
    >>> Bowl((3.0, 4.0)).after("gnp", rho=0.5, alpha=0.8)  # -α ε
    tensor([-0.2400, -0.3200])
    """

    memory: ClassVar[str] = "2"
    paper: ClassVar[str] = "Zhao et al., ICML"
    year: ClassVar[int] = 2022
    parts_apart: ClassVar[bool] = True
    reuses_gradient: ClassVar[bool] = True
    repeats: ClassVar[bool] = True

    alpha: float = option(0.8, "α, the share of the perturbed gradient; 1 is SAM, 0 the base optimizer", minimum=0.0)

    def ascend(self, step: Step) -> list[Tensor]:
        return steepest_ascent(step.ascent_gradient, step.rho)

    def descend(self, step: Step) -> list[Tensor]:
        perturbed = step.gradient_at(self.ascend(step))
        return list(torch._foreach_lerp(step.gradient, perturbed, self.alpha))
