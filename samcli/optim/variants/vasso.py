"""VaSSO: variance-suppressed sharpness-aware optimisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, TwoPass
from samcli.optim.variants._average import update_average
from samcli.registry import option
from samcli.weights.geometry import steepest_ascent


@VARIANTS.register("vasso")
@dataclass(frozen=True, kw_only=True)
class VaSSO(TwoPass):
    """SAM that climbs along a running mean of gradients, so that a single batch does not steer the ascent.

    ::

        d ← (1 - θ) d + θ g          (the first time: d ← g)
        ε = ρ d / ‖d‖₂
        w ← base(w, ∇L(w + ε))

    with g = ∇L(w). Li, Giannakis, "Enhancing Sharpness-Aware Optimization Through Variance Suppression", NeurIPS 2023;
    the first step as in the authors' code. The opposite of friendly-sam, which takes the mean away.

    Cost: two forward and backward passes. State: d. The authors' scripts: θ = 0.9; ρ = 0.1 for CIFAR-10 (ResNet-18),
    0.2 for CIFAR-100 (WRN). θ = 1 is SAM. Micro-batches (`m`) each update the mean.

    >>> from samcli.optim.example import Bowl
    >>> bowl = Bowl((4.0,))  # whose gradient is w: 4.0, and -0.5 after the first step
    >>> bowl.after("vasso", rho=0.5, theta=0.5, steps=2)  # d = (4 - 0.5)/2 still points up: ε = 0.5
    tensor([-0.5000])
    >>> bowl.after("vasso", rho=0.5, theta=1.0, steps=2)  # as SAM: ε = -0.5
    tensor([0.5000])
    """

    memory: ClassVar[str] = "2"
    paper: ClassVar[str] = "Li and Giannakis, NeurIPS"
    year: ClassVar[int] = 2023
    repeats: ClassVar[bool] = True

    rho: float = option(0.1, "radius ρ of the neighbourhood; 0 is the base optimizer", minimum=0.0)
    theta: float = option(0.9, "θ, weight of the new gradient in the mean; 1 is SAM", above=0.0, maximum=1.0)

    def ascend(self, step: Step) -> list[Tensor]:
        return steepest_ascent(update_average(step, "direction", step.ascent_gradient, self.theta), step.rho)
