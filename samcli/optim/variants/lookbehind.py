"""Lookbehind: several ascents, a descent after each, and slow weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from samcli.optim.means import Descent, StepMeans
from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, TwoPass
from samcli.registry import option
from samcli.weights.geometry import steepest_ascent


@VARIANTS.register("lookbehind")
@dataclass(frozen=True, kw_only=True)
class Lookbehind(TwoPass):
    """Climb k times, descend the gradient found after each climb, and go a share of the whole way.

    ::

        φ₀ = φ'₀ = w
        φ'ᵢ = φ'ᵢ₋₁ + ρ ∇L(φ'ᵢ₋₁)/‖∇L(φ'ᵢ₋₁)‖₂          for i = 1 ... k
        φᵢ  = base(φᵢ₋₁, ∇L(φ'ᵢ))
        w ← w + α (φₖ - w)

    Mordido, Malviya, Baratin, Chandar, "Lookbehind-SAM: k steps back, 1 step forward", ICML 2024; the rule as in the
    authors' code. k = 1 with α = 1 is SAM.

    Cost: k + 1 forward and backward passes: the gradient that is descended at φ'ᵢ is also the one that is climbed from
    there. The authors' code computes it twice, 2k passes in all, with other dropout masks. State: none between steps;
    the k gradients are kept within one, so that a step that fails half way has not touched the base optimizer. That
    optimizer, with its momentum and weight decay, takes k steps; a clipped gradient is clipped in each. The code's
    defaults are k = 5 and α = 0.5, with a ρ = 0.5 that it shares with ASAM; the ρ here is SAM's. Its adaptive α, a
    cosine for each tensor by itself, is not offered. On an accelerator the host waits for the norm of the first
    gradient. Micro-batches (m) climb by themselves and share each descent.

    >>> from samcli.optim.example import Bowl
    >>> Bowl((3.0, 4.0)).after("lookbehind", rho=0.5, k=2, alpha=0.5)  # φ₁ = -ε, φ₂ = -w - 3 ε: half way to it
    tensor([-0.4500, -0.6000])
    """

    passes: ClassVar[str] = "k + 1"
    memory: ClassVar[str] = "k + 1"
    paper: ClassVar[str] = "Mordido et al., ICML"
    year: ClassVar[int] = 2024
    parts_apart: ClassVar[bool] = True
    takes_sparse: ClassVar[bool] = True
    repeats: ClassVar[bool] = True

    k: int = option(5, "k, how often to climb and to descend", minimum=1, maximum=1000)
    alpha: float = option(0.5, "α, the share of the way to the fast weights; 1 goes all of it", above=0.0, maximum=1.0)

    def ascend(self, step: Step) -> list[Tensor]:
        return steepest_ascent(step.ascent_gradient, step.rho)

    def descend(self, step: Step) -> list[Tensor]:
        total = self.ascend(step)
        gradient = step.gradient_at(list(total))
        for i in range(1, self.k):
            step.extras[f"descent {i}"] = gradient
            torch._foreach_add_(total, steepest_ascent(step.with_weight_decay(gradient, total), step.rho))
            gradient = step.gradient_at(list(total))
        return gradient

    def passes_per_step(self, batch_size: int) -> float:
        del batch_size
        return self.k + 1.0

    def update(self, step: Step, means: StepMeans, descend: Descent) -> None:
        slow = [p.clone() for p in means.gradient]
        for gradient in (*means.extras.values(), means.gradient):
            descend(gradient)
        torch._foreach_lerp_(list(means.gradient), slow, 1.0 - self.alpha)
