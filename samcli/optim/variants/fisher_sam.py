"""Fisher SAM: a neighbourhood measured by the Fisher information."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, TwoPass
from samcli.registry import option
from samcli.weights.geometry import steepest_ascent


@VARIANTS.register("fisher-sam")
@dataclass(frozen=True, kw_only=True)
class FisherSAM(TwoPass):
    """SAM in an ellipsoid given by the Fisher information: short along weights that the loss is sensitive to.

    ::

        ε = ρ F⁻¹ g / √(gᵀ F⁻¹ g),   F = diag(1 + η g²)
        w ← base(w, ∇L(w + ε))

    so that √(εᵀ F ε) = ρ. Kim, Li, Hu, Hospedales, "Fisher SAM: Information Geometry and Sharpness Aware Minimisation",
    ICML 2022. There is no code by the authors, and the form of F and the defaults were not checked against the paper:
    F from the square of the batch's gradient is what two unofficial implementations do. Another of them normalises by
    ‖F⁻¹ g‖₂, which is no steepest ascent in the ellipsoid.

    Cost: two forward and backward passes. State: none. η = 0 is SAM. F changes with the scale of the loss.

    >>> from samcli.optim.example import Bowl
    >>> Bowl((2.0,)).after("fisher-sam", rho=0.5, eta=0.75)  # -ρ / √F, with F = 1 + 0.75 · 2² = 4
    tensor([-0.2500])
    """

    memory: ClassVar[str] = "1"
    paper: ClassVar[str] = "Kim et al., ICML"
    year: ClassVar[int] = 2022
    parts_apart: ClassVar[bool] = True
    repeats: ClassVar[bool] = True

    rho: float = option(0.1, "radius ρ in the metric F; 0 is the base optimizer", minimum=0.0)
    eta: float = option(0.2, "η, weight of the squared gradient in F; 0 is SAM", minimum=0.0)

    def ascend(self, step: Step) -> list[Tensor]:
        scales = torch._foreach_mul(step.gradient, step.gradient)
        torch._foreach_mul_(scales, self.eta)
        torch._foreach_add_(scales, 1.0)
        torch._foreach_rsqrt_(scales)
        return steepest_ascent(step.ascent_gradient, step.rho, scales=scales)
