"""Trace-SAM, of the universal family of sharpness-aware rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, TwoPass
from samcli.registry import option
from samcli.weights.geometry import steepest_ascent


@VARIANTS.register("trace-sam")
@dataclass(frozen=True, kw_only=True)
class TraceSAM(TwoPass):
    """Penalise the mean rise of the loss on a sphere around the weights, a measure of the Hessian's trace.

    ::

        gᵢ = ∇L(w + ρ vᵢ),   vᵢ uniform on the unit sphere              for i = 1 ... n
        w ← base(w, g + λ (ḡ - g))

    with g = ∇L(w) and ḡ the mean of the gᵢ. Tahmasebi, Soleymani, Bahri, Jegelka, Jaillet, "A Universal Class of
    Sharpness-Aware Minimization Algorithms", ICML 2024; the rule as in the authors' code, except for one defect: that
    code means to draw from the unit sphere, but forgets to divide by the length, so that its perturbations are √d times
    as long, for d weights. Ours have the length ρ over all parameters together; to repeat a run of theirs, multiply ρ
    by √d. λ = 0 is the base optimizer, at a higher price.

    Cost: 1 + n forward and backward passes. State: none; the plain gradient and a sum are kept over the last pass.
    Defaults of the authors' code: n = 1, λ = 1, ρ = 0.05; their command for CIFAR-10 (ResNet-18) has ρ = 0.01.

    >>> from samcli.optim.example import Bowl
    >>> Bowl((3.0, 4.0)).after("trace-sam", rho=0.5, lam=0.5).norm()  # at -λ ρ v, with ‖v‖ = 1
    tensor(0.2500)
    """

    passes: ClassVar[str] = "1 + n"
    memory: ClassVar[str] = "3"
    paper: ClassVar[str] = "Tahmasebi et al., ICML"
    year: ClassVar[int] = 2024
    parts_apart: ClassVar[bool] = True
    climbs_first: ClassVar[bool] = False
    reuses_gradient: ClassVar[bool] = True

    lam: float = option(1.0, "λ, the weight of the sharpness", minimum=0.0)
    n: int = option(1, "n, the number of perturbations", minimum=1)

    def passes_per_step(self, batch_size: int) -> float:
        del batch_size
        return 1.0 + self.n

    def ascend(self, step: Step) -> list[Tensor]:
        return steepest_ascent(step.noise(), step.rho)

    def descend(self, step: Step) -> list[Tensor]:
        summed = [torch.zeros_like(g) for g in step.gradient]
        for _ in range(self.n):
            torch._foreach_add_(summed, step.gradient_at(self.ascend(step)))
        torch._foreach_div_(summed, float(self.n))
        return list(torch._foreach_lerp(step.gradient, summed, self.lam))
