"""ESAM: SAM for some of the parameters and some of the examples."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from samcli.losses import example_losses
from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, TwoPass
from samcli.registry import option
from samcli.weights.geometry import global_norm
from samcli.weights.perturb import Epsilon


@VARIANTS.register("esam")
@dataclass(frozen=True, kw_only=True)
class ESAM(TwoPass):
    """Perturb a random share of the parameters, and descend the examples whose loss that raises most.

    ::

        m_i ~ Bernoulli(β) for each parameter tensor i
        ε_i = (m_i / β) ρ g_i / ‖g‖₂
        B⁺ = the ⌈γ|B|⌉ examples of the batch B with the largest ℓ(w + ε) - ℓ(w), the first of equal ones
        w ← base(w, ∇L_B⁺(w + ε))

    with g = ∇L_B(w). Du, Yan, Feng, Zhou, Zhen, Goh, Tan, "Efficient Sharpness-aware Minimization for Improved Training
    of Neural Networks", ICLR 2022; the rule as in the authors' code, except for what is said below. The abstract has a
    random set of weights perturbed; as in that code the mask is drawn per tensor here, so that the other tensors are
    neither copied nor written. If it is empty, the tensor nearest to being drawn is perturbed.

    Cost: a forward and backward pass of the batch, a forward pass of it (not for γ = 1), and a forward and backward
    pass of the γ|B| examples. State: none; the mask is a function of the seed and the step. Needs a `Batch`. The first
    pass gives every parameter its gradient: ‖g‖ is that of all of them, which keeps the mean of ε at SAM's. The
    authors' code skips some of that work by switching `requires_grad` off, takes the norm of the rest, and drops the
    example at the threshold, so that equal losses leave an empty batch.

    With dropout the examples of B⁺ get new masks, for it is another batch. Defaults in the authors' scripts: β = 0.6,
    γ = 0.5, ρ = 0.05 for ResNet-18; β = γ = 0.5, ρ = 0.1 for WRN-28-10.

    >>> from samcli.optim.example import Bowl
    >>> bowl = Bowl((3.0, 4.0), curvatures=((2.0, 2.0), (0.0, 0.0)))  # g = w; the loss of the first example rises
    >>> bowl.after("esam", rho=0.5, beta=0.5, gamma=0.5, lr=0.5)  # w - 2 (w + ε)/2, with ‖ε‖ = ρ/β
    tensor([-0.6000, -0.8000])
    """

    passes: ClassVar[str] = "1 + γ + a forward"
    memory: ClassVar[str] = "β"
    paper: ClassVar[str] = "Du et al., ICLR"
    year: ClassVar[int] = 2022
    parts_apart: ClassVar[bool] = True
    climbs_first: ClassVar[bool] = False

    beta: float = option(0.6, "β, share of the parameter tensors that are perturbed", above=0.0, maximum=1.0)
    gamma: float = option(0.5, "γ, share of the examples that are descended", above=0.0, maximum=1.0)

    def ascend(self, step: Step) -> list[Epsilon]:
        toss = random.Random(hash((step.seed, step.index, -step.part)))
        draws = [toss.random() for _ in step.parameters]
        limit = max(self.beta, math.nextafter(min(draws), math.inf))
        gradient = step.ascent_gradient
        length = global_norm(gradient)
        factor = torch.where(length > 0, step.rho / (self.beta * length), 0.0)
        return [g * factor if draw < limit else None for g, draw in zip(gradient, draws, strict=True)]

    def passes_per_step(self, batch_size: int) -> float:
        return 1.0 + self._kept(batch_size) / batch_size

    def gradient(self, step: Step) -> list[Tensor]:
        _ = step.batch  # a plain closure is refused before its first pass
        return super().gradient(step)

    def descend(self, step: Step) -> list[Tensor]:
        batch = step.batch
        count = self._kept(len(batch))
        if count == len(batch):
            return step.gradient_at(self.ascend(step))
        assert batch.output is not None
        before = example_losses(batch.loss, batch.output, batch.targets)

        def most_sensitive() -> Tensor:
            rise = example_losses(batch.loss, batch.outputs(), batch.targets) - before
            return batch.select(rise.argsort(descending=True, stable=True)[:count])()

        return step.gradient_at(self.ascend(step), most_sensitive)

    def _kept(self, batch_size: int) -> int:
        """How many examples of a batch are descended."""
        return math.ceil(self.gamma * batch_size - 1e-9)  # 0.1 · 30 is a little above 3
