"""RWP: random weight perturbation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, TwoPass
from samcli.registry import option
from samcli.weights.geometry import filter_noise


@VARIANTS.register("rwp")
@dataclass(frozen=True, kw_only=True)
class RWP(TwoPass):
    """Descend a mix of the gradient at the weights and the one at a random point near them: no ascent at all.

    ::

        δ ~ N(0, (ρ ‖w_f‖₂)²)        for each filter f
        w ← base(w, α ∇L(w + δ) + (1 - α) ∇L(w))

    A filter is a slice of a tensor along its first dimension, or a bias as a whole. Li et al., "Revisiting Random
    Weight Perturbation for Efficiently Improving Generalization", TMLR 2024; the rule as in the authors' code for that
    paper (m-RWP), where ρ and α are called σ and λ, and as in their earlier RWP code, where they are γ and α. Their
    adaptive noise (ARWP) is another rule.

    Cost: two forward and backward passes, one for α = 1. State: none: the noise is a function of seed and step. The
    authors' defaults: σ = 0.01, λ = 0.5; their script for CIFAR-100 (ResNet-18) has σ = 0.015. With them half of the
    workers take the perturbed gradient of their own batch, in parallel, and train for twice as many epochs; here both
    gradients are of the same batch. α = 0 is the base optimizer.

    >>> from samcli.optim.example import Bowl
    >>> bowl = Bowl((3.0, 4.0))  # after a step it is at -α δ
    >>> bowl.after("rwp", rho=0.1, alpha=0.5) / bowl.after("rwp", rho=0.1, alpha=1.0)
    tensor([0.5000, 0.5000])
    """

    memory: ClassVar[str] = "2"
    paper: ClassVar[str] = "Li et al., TMLR"
    year: ClassVar[int] = 2024
    parts_apart: ClassVar[bool] = True
    climbs_first: ClassVar[bool] = False
    reuses_gradient: ClassVar[bool] = True

    rho: float = option(0.01, "deviation of the noise in units of each filter's norm, the paper's σ", minimum=0.0)
    alpha: float = option(0.5, "α, weight of the perturbed gradient; 1 takes nothing else", minimum=0.0, maximum=1.0)

    def ascend(self, step: Step) -> list[Tensor]:
        return filter_noise(step.parameters, step.rho, step.generator())

    def descend(self, step: Step) -> list[Tensor]:
        return list(torch._foreach_lerp(step.gradient, step.gradient_at(self.ascend(step)), self.alpha))

    def passes_per_step(self, batch_size: int) -> float:
        del batch_size
        return 2.0 if 0.0 < self.alpha < 1.0 else 1.0

    def perturbs(self, step: Step) -> bool:
        return self.alpha > 0.0

    def gradient(self, step: Step) -> list[Tensor]:
        if self.alpha < 1.0:
            return super().gradient(step)
        return step.evaluate(list(filter_noise(step.candidates, step.rho, step.generator())))
