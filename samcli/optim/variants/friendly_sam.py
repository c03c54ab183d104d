"""Friendly SAM: climbing along the noise of the gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, TwoPass
from samcli.optim.variants._average import update_average
from samcli.registry import option
from samcli.weights.geometry import steepest_ascent


@VARIANTS.register("friendly-sam")
@dataclass(frozen=True, kw_only=True)
class FriendlySAM(TwoPass):
    """SAM that climbs only along what is particular to the batch: its gradient less the running mean of gradients.

    ::

        d = g - σ m
        m ← λ m + (1 - λ) g          (the first time: d = g, m ← g)
        ε = ρ d / ‖d‖₂
        w ← base(w, ∇L(w + ε))

    with g = ∇L(w) and λ = `decay`. Li, Zhou, He, Cheng, Huang, "Friendly Sharpness-Aware Minimization", CVPR 2024.

    As in the authors' code, the mean that is subtracted does not yet contain g and starts as the first gradient. The
    paper's formula is said to subtract the mean after its update; for σ = 1 both give the same direction, because
    g - m_t = λ (g - m_{t-1}), for other σ they differ.

    Cost: two forward and backward passes. State: m. The authors' script for CIFAR-100 and ResNet-18: ρ = 0.2, σ = 1,
    λ = 0.6 (0.95 gave the better last epoch, 81.3 % against 81.2 %); their class has λ = 0.9. Micro-batches (`m`) each
    update the mean.

    >>> from samcli.optim.example import Bowl
    >>> bowl = Bowl((4.0,))  # whose gradient is w: 4.0, and 1.5 after the first step, which climbs to 4 + 1
    >>> bowl.after("friendly-sam", rho=1.0, lr=0.5, steps=2)  # d = 1.5 - 4 points back: 1.5 - 0.5 (1.5 - 1)
    tensor([1.2500])
    >>> bowl.after("friendly-sam", rho=1.0, lr=0.5, steps=2, sigma=0.0)  # as SAM: 1.5 - 0.5 (1.5 + 1)
    tensor([0.2500])
    """

    memory: ClassVar[str] = "2"
    paper: ClassVar[str] = "Li et al., CVPR"
    year: ClassVar[int] = 2024
    repeats: ClassVar[bool] = True

    rho: float = option(0.2, "radius ρ of the neighbourhood; 0 is the base optimizer", minimum=0.0)
    sigma: float = option(1.0, "σ, how much of the mean gradient is taken away; 0 is SAM", minimum=0.0)
    decay: float = option(0.9, "λ, how much of the mean gradient stays at a step", minimum=0.0, below=1.0)

    def ascend(self, step: Step) -> list[Tensor]:
        gradient = step.ascent_gradient
        direction = torch._foreach_add(gradient, step.memory("mean"), alpha=-self.sigma)
        update_average(step, "mean", gradient, 1.0 - self.decay)
        return steepest_ascent(direction, step.rho)
