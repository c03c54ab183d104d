"""Random SAM: smoothing before the ascent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from samcli.optim.geometry import filter_noise, steepest_ascent
from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, Variant
from samcli.registry import option


@VARIANTS.register("random-sam")
@dataclass(frozen=True, kw_only=True)
class RandomSAM(Variant):
    """SAM around a randomly displaced point, where a single gradient says more about the neighbourhood.

    ::

        δ ~ N(0, (σ ‖w_f‖₂)²)        for each filter f
        ε = δ + ρ g / ‖g‖₂,          g = ∇L(w + δ)
        w ← base(w, ∇L(w + ε))

    Liu, Mai, Cheng, Chen, Hsieh, You, "Random Sharpness-Aware Minimization", NeurIPS 2022 (R-SAM). Its abstract has the
    ascent start from weights smoothed by random noise; the formula, the noise and the constants were not checked
    against the paper. The noise here is that of `rwp`, with its σ. That the descent too contains δ is the side taken by
    an unofficial implementation, as for SAM around w + δ.

    Cost: two forward and backward passes, the first at w + δ, so that running statistics and the returned loss are
    those there. State: none: the noise is a function of seed and step. σ = 0 is SAM.
    """

    memory: ClassVar[str] = "2"
    paper: ClassVar[str] = "Liu et al., NeurIPS"
    year: ClassVar[int] = 2022

    sigma: float = option(0.01, "σ, deviation of the noise in units of each filter's norm; 0 is SAM", minimum=0.0)

    def gradient(self, step: Step) -> list[Tensor]:
        delta = filter_noise(step.candidates, self.sigma, step.generator())
        step.evaluate(delta)
        if not step.parameters or not step.finite:
            return step.gradient
        epsilon = self.ascend(step)
        noise = dict(zip(step.candidates, delta, strict=True))
        torch._foreach_add_(epsilon, [noise[p] for p in step.parameters])
        del delta, noise  # not to be held through the second pass
        return step.gradient_at(epsilon)

    def ascend(self, step: Step) -> list[Tensor]:
        return steepest_ascent(step.ascent_gradient, step.rho)
