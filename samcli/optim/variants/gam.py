"""GAM: gradient norm aware minimisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, TwoPass
from samcli.registry import option
from samcli.weights.geometry import rejection, steepest_ascent


@VARIANTS.register("gam")
@dataclass(frozen=True, kw_only=True)
class GAM(TwoPass):
    """Descend towards first-order flatness: a small largest gradient norm in the neighbourhood.

    ::

        g₀ = ∇L(w)                        g₁ = ∇L(w + r g₀/‖g₀‖)
        h  = g₁ - g₀,   ε = ρ h/‖h‖       (h/r is the gradient of ‖∇L‖, by a finite difference)
        g₂ = ∇L(w + ε)                    g₃ = ∇L(w + ε + r g₂/‖g₂‖)
        G  = α g₁ + (1 - α) g₃,   P = g₀ + (1 - β) g₂
        w ← base(w, G - γ (P - ⟨P, G⟩/‖G‖² G))

    Zhang, Xu, Yu, Zou, Cui, "Gradient Norm Aware Minimization Seeks First-Order Flatness and Improves Generalization",
    CVPR 2023; this is the accelerated form of the authors' code with the weights that their CIFAR script gives it, α
    and β being its `grad_beta_1` and `grad_beta_0`. The class alone has the weights 1, -1 and 1, which make G the sum
    of two gradients and the step twice as long.

    Cost: four forward and backward passes. State: none; three gradients are kept over the last pass. Defaults of the
    authors' script for CIFAR-100 and ResNets: ρ = 0.2 (their grad_norm_rho), r = 0.02 (their grad_rho), α = 0.6,
    β = 0.5, γ = 0.03; for CIFAR-10 r = 0.03, α = β = 0.1, γ = 0.05. A schedule of ρ scales r as well.

    >>> from samcli.optim.example import Bowl
    >>> bowl = Bowl((3.0, 4.0))  # all four gradients point along w: g₁ is r longer, g₃ is ρ + r longer
    >>> bowl.after("gam", rho=2.0, r=1.0, alpha=0.5)  # -(r + (1 - α) ρ) w / ‖w‖
    tensor([-1.2000, -1.6000])
    """

    passes: ClassVar[str] = "4"
    memory: ClassVar[str] = "4"
    paper: ClassVar[str] = "Zhang et al., CVPR"
    year: ClassVar[int] = 2023
    parts_apart: ClassVar[bool] = True
    reuses_gradient: ClassVar[bool] = True
    repeats: ClassVar[bool] = True

    rho: float = option(0.2, "radius ρ in which the gradient norm is climbed; 0 is the base optimizer", minimum=0.0)
    r: float = option(0.02, "radius r of the finite difference along the gradient", above=0.0)
    alpha: float = option(0.6, "α, share of g₁ in the descended gradient; the rest is g₃", minimum=0.0, maximum=1.0)
    beta: float = option(0.5, "1 - β is the weight of g₂ beside g₀ in what is ascended", minimum=0.0, maximum=1.0)
    gamma: float = option(0.03, "γ, how much of the orthogonal part of the nearer gradients is ascended", minimum=0.0)

    def ascend(self, step: Step) -> list[Tensor]:
        return steepest_ascent(step.ascent_gradient, self._r(step))

    def descend(self, step: Step) -> list[Tensor]:
        nearer = step.gradient
        total = step.gradient_at(self.ascend(step))
        epsilon = steepest_ascent(torch._foreach_sub(total, nearer), step.rho)
        moved = step.gradient_at(list(epsilon))
        torch._foreach_add_(epsilon, steepest_ascent(step.with_weight_decay(moved, epsilon), self._r(step)))
        nearer = list(torch._foreach_add(nearer, moved, alpha=1.0 - self.beta))
        del moved
        torch._foreach_lerp_(total, step.gradient_at(epsilon), 1.0 - self.alpha)
        torch._foreach_sub_(total, torch._foreach_mul(rejection(nearer, total), self.gamma))
        return total

    def _r(self, step: Step) -> float:
        return self.r * step.rho / self.rho
