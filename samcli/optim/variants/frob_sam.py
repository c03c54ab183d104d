"""Frob-SAM, of the universal family of sharpness-aware rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, TwoPass
from samcli.registry import option


@VARIANTS.register("frob-sam")
@dataclass(frozen=True, kw_only=True)
class FrobSAM(TwoPass):
    """Penalise the variance of the loss under random perturbations, a measure of the Hessian's Frobenius norm.

    ::

        lᵢ = L(w + ρ zᵢ),   gᵢ = ∇L(w + ρ zᵢ),   zᵢ ~ N(0, 1)          for i = 1 ... n
        w ← base(w, g + λ/ρ² · Σᵢ (lᵢ - l̄)(gᵢ - ḡ)/(n - 1))

    with g = ∇L(w), and l̄ and ḡ the means; on average that is the gradient of L + λ/(2ρ²) Var L(w + ρ z). Tahmasebi,
    Soleymani, Bahri, Jegelka, Jaillet, "A Universal Class of Sharpness-Aware Minimization Algorithms", ICML 2024; the
    rule as in the authors' code. ‖ρ z‖ is about ρ √d for d weights, so ρ is much smaller than SAM's.

    Cost: 1 + n forward and backward passes. State: none; the plain gradient and two sums are kept over the last pass.
    Defaults as in the authors' command for CIFAR-10 (ResNet-18): n = 2, ρ = 0.005, λ = 0.005.

    >>> from samcli.optim.example import Bowl
    >>> bowl = Bowl((0.0, 0.0))  # with g = 0 nothing but the penalty is left, in proportion to λ
    >>> bowl.after("frob-sam", lam=2.0) / bowl.after("frob-sam", lam=1.0)
    tensor([2., 2.])
    """

    passes: ClassVar[str] = "1 + n"
    memory: ClassVar[str] = "4"
    paper: ClassVar[str] = "Tahmasebi et al., ICML"
    year: ClassVar[int] = 2024
    parts_apart: ClassVar[bool] = True
    climbs_first: ClassVar[bool] = False
    reuses_gradient: ClassVar[bool] = True

    rho: float = option(0.005, "standard deviation ρ of the perturbations; 0 is the base optimizer", minimum=0.0)
    lam: float = option(0.005, "λ, the weight of the sharpness", minimum=0.0)
    n: int = option(2, "n, the number of perturbations", minimum=2)

    def passes_per_step(self, batch_size: int) -> float:
        del batch_size
        return 1.0 + self.n

    def ascend(self, step: Step) -> list[Tensor]:
        return list(torch._foreach_mul(step.noise(), step.rho))

    def descend(self, step: Step) -> list[Tensor]:
        # Σ (l - l̄)(g - ḡ) = Σ (l - L) g - mean(l - L) Σ g: losses relative to the loss L at the weights round less
        crossed = [torch.zeros_like(g) for g in step.gradient]
        summed = [torch.zeros_like(g) for g in step.gradient]
        rises = torch.zeros_like(step.loss)
        for _ in range(self.n):
            gradient = step.gradient_at(self.ascend(step))
            rise = step.passed_loss - step.loss
            rises = rises + rise
            torch._foreach_add_(summed, gradient)
            torch._foreach_mul_(gradient, rise)
            torch._foreach_add_(crossed, gradient)
            del gradient
        torch._foreach_mul_(summed, rises / self.n)
        torch._foreach_sub_(crossed, summed)
        return list(torch._foreach_add(step.gradient, crossed, alpha=self.lam / (step.rho**2 * (self.n - 1))))
