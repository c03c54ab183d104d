"""USAM: SAM without normalisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, TwoPass


@VARIANTS.register("usam")
@dataclass(frozen=True, kw_only=True)
class USAM(TwoPass):
    """SAM without the normalisation: the further from a flat point, the further it looks.

    ::

        ε = ρ g
        w ← base(w, ∇L(w + ε))

    with g = ∇L(w). Studied as unnormalised SAM by Andriushchenko, Flammarion, "Towards Understanding Sharpness-Aware
    Minimization", ICML 2022; the rule is that of their code without the gradient's norm.

    Cost: two forward and backward passes. State: none. No default for CIFAR was checked against the paper: ρ here is
    no length, and ρ‖g‖ plays the part of SAM's ρ. Unlike SAM's, this ε grows with the scale of the loss.

    >>> from samcli.optim.example import Bowl
    >>> Bowl((3.0, 4.0)).after("usam", rho=0.5)  # -0.5 w
    tensor([-1.5000, -2.0000])
    """

    paper: ClassVar[str] = "Andriushchenko and Flammarion, ICML"
    year: ClassVar[int] = 2022
    parts_apart: ClassVar[bool] = True
    takes_complex: ClassVar[bool] = True
    repeats: ClassVar[bool] = True

    def ascend(self, step: Step) -> list[Tensor]:
        return list(torch._foreach_mul(step.ascent_gradient, step.rho))
