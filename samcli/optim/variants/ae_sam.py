"""AE-SAM: SAM where the gradient is unusually large."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, TwoPass
from samcli.registry import option
from samcli.weights.geometry import steepest_ascent


@VARIANTS.register("ae-sam")
@dataclass(frozen=True, kw_only=True)
class AdaptiveSAM(TwoPass):
    """SAM when the gradient is large for its recent history, and the base optimizer otherwise.

    ::

        μ  ← δ μ + (1 - δ) ‖g‖₂²
        σ² ← δ σ² + (1 - δ) (‖g‖₂² - μ)²
        c  = τ λ₁ + (1 - τ) λ₂
        w ← base(w, ∇L(w + ρ g / ‖g‖₂))   if ‖g‖₂² ≥ μ + c σ
        w ← base(w, g)                    otherwise

    with g = ∇L(w), the finished share τ of training, and μ = σ² = 0 before the first step. Jiang, Yang, Zhang, Kwok,
    "An Adaptive Policy to Employ Sharpness-Aware Minimization", ICLR 2023; rule and defaults are not checked against
    the paper, and no public code was at hand.

    Cost: one or two forward and backward passes; the host waits once per step for ‖g‖, to decide. State: μ and σ².
    Each of several micro-batches decides by itself and counts in μ and σ². Needs `progress` of the optimizer. The
    decision does not change with the scale of the loss.

    >>> from samcli.optim.example import Bowl
    >>> bowl = Bowl((8.0,))  # whose gradient is w: 8, and 2 after the first step, which climbs to 8 + 4
    >>> bowl.after("ae-sam", rho=4.0, delta=0.5, lr=0.5, steps=2, progress=0.0)  # 2² < μ = 18: 2 - 2/2
    tensor([1.])
    >>> bowl.after("ae-sam", rho=4.0, delta=0.5, lr=0.5, steps=2, progress=1.0)  # 2² > μ - σ: 2 - (2 + 4)/2
    tensor([-1.])
    """

    passes: ClassVar[str] = "1 to 2"
    paper: ClassVar[str] = "Jiang et al., ICLR"
    year: ClassVar[int] = 2023
    uses_progress: ClassVar[bool] = True
    waits: ClassVar[bool] = True

    lambda_1: float = option(-1.0, "λ₁, standard deviations above the mean that call for SAM at the end of training")
    lambda_2: float = option(1.0, "λ₂, the same at the start of training")
    delta: float = option(0.9, "δ, decay of the mean and variance of ‖g‖²", minimum=0.0, below=1.0)

    def ascend(self, step: Step) -> list[Tensor]:
        return steepest_ascent(step.ascent_gradient, step.rho)

    def perturbs(self, step: Step) -> bool:
        if step.progress is None:
            raise ValueError(
                "ae-sam changes its threshold over training: "
                "set the optimizer's progress, from 0 to 1, before each step."
            )
        square = float(step.gradient_norm) ** 2
        if not math.isfinite(square):
            return False
        mean = self.delta * step.state.get("mean", 0.0) + (1.0 - self.delta) * square
        variance = self.delta * step.state.get("variance", 0.0) + (1.0 - self.delta) * (square - mean) ** 2
        step.state["mean"], step.state["variance"] = mean, variance
        threshold = step.progress * self.lambda_1 + (1.0 - step.progress) * self.lambda_2
        return bool(square >= mean + threshold * math.sqrt(variance))
