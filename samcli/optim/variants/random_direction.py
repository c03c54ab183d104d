"""Descent at a random point of the sphere around the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, Variant
from samcli.weights.geometry import steepest_ascent


@VARIANTS.register("random-direction")
@dataclass(frozen=True, kw_only=True)
class RandomDirection(Variant):
    """Descend the gradient at a random point at the distance ρ: what is left of SAM without its direction.

    ::

        ε = ρ u/‖u‖₂,  u ~ N(0, 1) over all parameters together
        w ← base(w, ∇L(w + ε))

    The control of M. Andriushchenko and N. Flammarion, "Towards Understanding Sharpness-Aware Minimization" (ICML
    2022), figure 1. At SAM's radius it hardly moves the loss, for of d dimensions a random direction has about 1/√d
    along the gradient; they look at radii up to 100. `rwp` scales the noise by filters and mixes in the plain gradient.

    Cost: one forward and backward pass, at w + ε, so that the returned loss and running statistics are those there.
    State: none: the direction is a function of seed and step.

    >>> from samcli.optim.example import Bowl
    >>> Bowl((3.0, 4.0)).after("random-direction", rho=0.5).norm()  # at -ε
    tensor(0.5000)
    """

    passes: ClassVar[str] = "1"
    memory: ClassVar[str] = "2"
    paper: ClassVar[str] = "Andriushchenko and Flammarion, ICML"
    year: ClassVar[int] = 2022
    begins_at_weights: ClassVar[bool] = False
    parts_apart: ClassVar[bool] = True

    def gradient(self, step: Step) -> list[Tensor]:
        generator = step.generator()
        direction = [torch.empty_like(p).normal_(generator=generator) for p in step.candidates]
        return step.evaluate([*steepest_ascent(direction, step.rho)] if step.candidates else None)
