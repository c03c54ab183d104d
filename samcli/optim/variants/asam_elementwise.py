"""The other rule that goes by the name of adaptive SAM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, TwoPass
from samcli.registry import option
from samcli.weights.geometry import element_scales, steepest_ascent


@VARIANTS.register("asam-elementwise")
@dataclass(frozen=True, kw_only=True)
class ASAMElementwise(TwoPass):
    """ASAM as most packages have it: every parameter scales with its size, biases too.

    ::

        ε = ρ T² g / ‖T g‖₂     (p = 2; for p = ∞: ε = ρ T sign g)
        w ← base(w, ∇L(w + ε))

    with T = |w| + η for all parameters and η = 0. This is `adaptive=True` of the PyTorch SAM by davda54 and of the many
    that derive from it. It is not the rule of the ASAM paper and of its authors' code, which is `asam` here: there η is
    0.01 and biases are not scaled. Parameters that start at zero, as most biases do, are not perturbed at first.

    After Kwon, Kim, Park, Choi, "ASAM: Adaptive Sharpness-Aware Minimization for Scale-Invariant Learning of Deep
    Neural Networks", ICML 2021. Cost: two forward and backward passes. State: none. ρ = 2.0 is what an author of the
    paper recommends for this rule (WRN-16-8 on CIFAR-10), against 0.5 for their own.

    >>> from samcli.optim.example import Bowl
    >>> bowl = Bowl(weight=(3.0,), bias=(4.0,))
    >>> bowl.after("asam-elementwise", rho=0.1, norm=float("inf"))  # -0.1 |weight|, and -0.1 |bias|
    tensor([-0.3000, -0.4000])
    """

    paper: ClassVar[str] = "after Kwon et al., ICML"
    year: ClassVar[int] = 2021
    parts_apart: ClassVar[bool] = True
    repeats: ClassVar[bool] = True

    rho: float = option(2.0, "radius ρ of the scaled neighbourhood; 0 is the base optimizer", minimum=0.0)
    eta: float = option(0.0, "η, added to |w| so that weights near zero move too", minimum=0.0)
    norm: float = option(2.0, "p of the ball ‖T⁻¹ε‖_p ≤ ρ: 2, inf, or any number above 1", above=1.0, infinite=True)

    def ascend(self, step: Step) -> list[Tensor]:
        scales = element_scales(step.parameters, [True] * len(step.parameters), self.eta)
        return steepest_ascent(step.ascent_gradient, step.rho, self.norm, scales)
