"""ASAM: adaptive sharpness-aware minimisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, TwoPass
from samcli.registry import option
from samcli.weights.geometry import element_scales, steepest_ascent
from samcli.weights.names import is_weight


@VARIANTS.register("asam")
@dataclass(frozen=True, kw_only=True)
class ASAM(TwoPass):
    """SAM in a ball that scales with each weight, so that rescaling a ReLU network changes nothing.

    ::

        ε = ρ T² g / ‖T g‖₂     (p = 2; for p = ∞: ε = ρ T sign g)
        w ← base(w, ∇L(w + ε))

    with T = |w| + η for the parameters called weight (the scale of normalisation layers among them) and T = 1 for the
    others. Kwon, Kim, Park, Choi, "ASAM: Adaptive Sharpness-Aware Minimization for Scale-Invariant Learning of Deep
    Neural Networks", ICML 2021, algorithm 1 and eq. 9; T as in the authors' code.

    Cost: two forward and backward passes. State: none. Defaults of the paper: ρ = 0.5 for CIFAR-10, 1.0 for CIFAR-100,
    η = 0.01. Many packages call another rule adaptive, T = |w| for every parameter with η = 0; it needs other radii.

    >>> from samcli.optim.example import Bowl
    >>> bowl = Bowl(weight=(3.0,), bias=(4.0,))
    >>> bowl.after("asam", rho=0.1, eta=0.0, norm=float("inf"))  # -0.1 |weight|, and -0.1
    tensor([-0.3000, -0.1000])
    """

    memory: ClassVar[str] = "1"
    paper: ClassVar[str] = "Kwon et al., ICML"
    year: ClassVar[int] = 2021
    parts_apart: ClassVar[bool] = True
    takes_sparse: ClassVar[bool] = True
    repeats: ClassVar[bool] = True

    rho: float = option(0.5, "radius ρ of the scaled neighbourhood; 0 is the base optimizer", minimum=0.0)
    eta: float = option(0.01, "η, added to |w| so that weights near zero move too", minimum=0.0)
    norm: float = option(2.0, "p of the ball ‖T⁻¹ε‖_p ≤ ρ: 2, inf, or any number above 1", above=1.0, infinite=True)

    def ascend(self, step: Step) -> list[Tensor]:
        scales = element_scales(step.parameters, map(is_weight, step.names), self.eta)
        return steepest_ascent(step.ascent_gradient, step.rho, self.norm, scales)
