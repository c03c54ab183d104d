"""AsyncSAM in one pass: the last step's gradient in place of the ascent gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, Variant
from samcli.weights.geometry import replace_where, steepest_ascent


@VARIANTS.register("async-sam")
@dataclass(frozen=True, kw_only=True)
class AsyncSAM(Variant):
    """One pass, perturbed along the gradient of the step before.

    ::

        ε_t = ρ g_{t-1} / ‖g_{t-1}‖₂
        g_t = ∇L_t(w_t + ε_t)
        w_{t+1} = base(w_t, g_t)

    with ε_0 = 0. After Jo, Lim, Lee, "Asynchronous Sharpness-Aware Minimization For Fast and Accurate Deep Learning",
    2025, with an asynchrony of one step; not checked against the paper. There a second device computes the stale
    gradient at the weights, ∇L_{t-1}(w_{t-1}), maybe of a smaller batch. This is the form for one device: the stale
    gradient is the one that was descended, at w_{t-1} + ε_{t-1}. Becker et al. (NeurIPS 2025, appendix A.7) find it
    worse than perturbing along the momentum, which is `msam`.

    Cost: one forward and backward pass. State: the last gradient; of micro-batches, that of the last one. The loss that
    a step returns, and the running statistics of BatchNorm, are those at w + ε. ρ = 0.05 is SAM's default. A gradient
    that is not finite is not kept.

    >>> from samcli.optim.example import Bowl
    >>> bowl = Bowl((3.0, 4.0))
    >>> [bowl.after("async-sam", rho=0.5, steps=steps) for steps in (1, 2)]  # 0, then -ε along the first gradient
    [tensor([0., 0.]), tensor([-0.3000, -0.4000])]
    """

    passes: ClassVar[str] = "1"
    memory: ClassVar[str] = "2"
    paper: ClassVar[str] = "Jo et al., arXiv"
    year: ClassVar[int] = 2025
    begins_at_weights: ClassVar[bool] = False
    repeats: ClassVar[bool] = True

    def gradient(self, step: Step) -> list[Tensor]:
        last = step.memory("last gradient", step.candidates)
        gradient = step.evaluate([*steepest_ascent(last, step.rho)] if step.candidates else None)
        if step.parameters and step.finite:
            climbed = step.ascent_gradient
            replace_where(torch.isfinite(step.gradient_norm), step.memory("last gradient"), climbed)
        return gradient
