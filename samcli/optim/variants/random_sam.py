"""Random SAM: smoothing before the ascent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, Variant
from samcli.registry import option
from samcli.weights.geometry import filter_noise, steepest_ascent


@VARIANTS.register("random-sam")
@dataclass(frozen=True, kw_only=True)
class RandomSAM(Variant):
    """SAM around a randomly displaced point, where a single gradient says more about the neighbourhood.

    ::

        δ ~ N(0, (σ ‖w_f‖₂)²)                      for each filter f
        ε = ρ (δ + λ g) / ‖δ + λ g‖₂,              g = ∇L(w + δ)
        w ← base(w, ∇L(w + ε))

    Liu, Mai, Cheng, Chen, Hsieh, You, "Random Sharpness-Aware Minimization", NeurIPS 2022 (R-SAM); rule, noise for each
    filter and λ = 2 as in the code published under that name, the paper itself was not at hand. There, for ViT-B/16 on
    ImageNet, σ rises from 0.0005 to 0.0025 along a cosine and ρ is 2.5 at the top learning rate. With a larger σ the
    noise outgrows λ g where the gradient is small, and the ascent is in a random direction. An unofficial package has
    ε = δ + ρ g/‖g‖₂ instead, whose length is not ρ. Since δ has a length of its own, ε depends on the scale of the
    loss.

    Cost: two forward and backward passes, the first at w + δ, so that running statistics and the returned loss are
    those there. State: none: the noise is a function of seed and step. σ = 0 is SAM.

    >>> from samcli.optim.example import Bowl
    >>> Bowl((3.0, 4.0)).after("random-sam", rho=0.5, sigma=0.1).norm()  # ε has the length ρ in any direction
    tensor(0.5000)
    >>> Bowl((3.0, 4.0)).after("random-sam", rho=0.5, sigma=0.0)  # as SAM
    tensor([-0.3000, -0.4000])
    """

    memory: ClassVar[str] = "2"
    paper: ClassVar[str] = "Liu et al., NeurIPS"
    year: ClassVar[int] = 2022
    parts_apart: ClassVar[bool] = True
    begins_at_weights: ClassVar[bool] = False
    climbs_first: ClassVar[bool] = True

    sigma: float = option(0.001, "σ, deviation of the noise in units of each filter's norm; 0 is SAM", minimum=0.0)
    lam: float = option(2.0, "λ, weight of the gradient beside the noise", above=0.0)

    def gradient(self, step: Step) -> list[Tensor]:
        delta = filter_noise(step.candidates, self.sigma, step.generator())
        step.evaluate(delta)
        if not step.parameters or not step.finite:
            return step.gradient
        return step.gradient_at(self._climb(step, dict(zip(step.candidates, delta, strict=True))))

    def _climb(self, step: Step, noise: dict[Tensor, Tensor]) -> list[Tensor]:
        mixed = torch._foreach_add([noise[p] for p in step.parameters], step.ascent_gradient, alpha=self.lam)
        return steepest_ascent(mixed, step.rho)
