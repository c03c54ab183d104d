"""WSAM: sharpness-aware minimisation with weighted sharpness as a regularisation term."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, TwoPass
from samcli.registry import option
from samcli.weights.geometry import steepest_ascent


@VARIANTS.register("wsam")
@dataclass(frozen=True, kw_only=True)
class WSAM(TwoPass):
    """Weigh the sharpness against the loss, and descend the two apart: the base optimizer sees only the loss.

    ::

        ε = ρ g / ‖g‖₂,   g_SAM = ∇L(w + ε),   a = γ / (1 - γ)
        decoupled:   w ← base(w, g) - lr a (g_SAM - g)
        coupled:     w ← base(w, a g_SAM + (1 - a) g)

    with g = ∇L(w). Yue, Jiang, Ye, Gao, Liu, Zhang, "Sharpness-Aware Minimization Revisited: Weighted Sharpness as a
    Regularization Term", KDD 2023; the rule as in the authors' code. Coupled with γ = 1/2 it is SAM; γ = 0 is the base
    optimizer.

    Cost: two forward and backward passes. State: none; the first gradient is kept over the second pass. Defaults of
    the authors' code: γ = 0.9, so that a = 9, and ρ = 0.05 (0.2 in their CIFAR script). The decoupled term has the
    plain learning rate of each parameter group also over Adam, as theirs has; clipping the gradient does not reach it.

    >>> from samcli.optim.example import Bowl
    >>> Bowl((3.0, 4.0)).after("wsam", rho=0.5, gamma=0.75)  # -a ε, with a = 3
    tensor([-0.9000, -1.2000])
    """

    memory: ClassVar[str] = "2"
    paper: ClassVar[str] = "Yue et al., KDD"
    year: ClassVar[int] = 2023
    parts_apart: ClassVar[bool] = True
    takes_complex: ClassVar[bool] = True
    takes_sparse: ClassVar[bool] = True
    reuses_gradient: ClassVar[bool] = True
    repeats: ClassVar[bool] = True

    gamma: float = option(0.9, "γ, the weight of the sharpness: a = γ / (1 - γ)", minimum=0.0, below=1.0)
    coupled: bool = option(False, "whether the base optimizer descends the sharpness too, instead of a step of its own")

    def ascend(self, step: Step) -> list[Tensor]:
        return steepest_ascent(step.ascent_gradient, step.rho)

    def descend(self, step: Step) -> list[Tensor]:
        weight = self.gamma / (1.0 - self.gamma)
        perturbed = step.gradient_at(self.ascend(step))
        if self.coupled:
            return list(torch._foreach_lerp(step.gradient, perturbed, weight))
        torch._foreach_sub_(perturbed, step.gradient)  # the gradient of the sharpness
        rate = {p: group["lr"] for group in step.base.param_groups for p in group["params"]}
        step.displacement = [d.mul_(-weight * rate[p]) for p, d in zip(step.parameters, perturbed, strict=True)]
        return step.gradient
