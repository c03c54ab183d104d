"""SAM: sharpness-aware minimisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, TwoPass
from samcli.registry import option
from samcli.weights.geometry import steepest_ascent


@VARIANTS.register("sam")
@dataclass(frozen=True, kw_only=True)
class SAM(TwoPass):
    """Descend the gradient at the worst point of a ball around the weights, found to first order.

    ::

        ε = ρ g / ‖g‖₂          (p = 2; for p = ∞: ε = ρ sign g)
        w ← base(w, ∇L(w + ε))

    with g = ∇L(w) over all parameters together. Foret, Kleiner, Mobahi, Neyshabur, "Sharpness-Aware Minimization for
    Efficiently Improving Generalization", ICLR 2021, algorithm 1 and eq. 2.

    With k = `ascent_steps` above 1 the point is approached in k steps of length ρ/k, each along the gradient where the
    one before it ended::

        ε₀ = 0,   ε_i = Π(ε_{i-1} + (ρ/k) g_i / ‖g_i‖₂),   g_i = ∇L(w + ε_{i-1})

    Π, the projection onto the ball of radius ρ, has nothing to do: by the triangle inequality k steps of length ρ/k
    never leave it.

    Cost: two forward and backward passes, 1 + k with k ascent steps. State: none. Defaults of the paper: ρ = 0.05 for
    CIFAR-10, 0.1 for CIFAR-100 (WRN-28-10, table 6), where each of 8 devices climbs for its own 32 of 256 examples;
    here one device climbs for the whole batch. The authors' code adds weight decay to the ascent gradient, ours leaves
    it to the base optimizer unless asked.

    >>> from samcli.optim.example import Bowl
    >>> Bowl((3.0, 4.0)).after("sam", rho=0.5)  # -0.5 w / ‖w‖
    tensor([-0.3000, -0.4000])
    >>> Bowl((3.0, 4.0)).after("sam", rho=0.5, norm=float("inf"))  # -0.5 sign w
    tensor([-0.5000, -0.5000])
    """

    paper: ClassVar[str] = "Foret et al., ICLR"
    year: ClassVar[int] = 2021
    parts_apart: ClassVar[bool] = True
    takes_complex: ClassVar[bool] = True
    takes_sparse: ClassVar[bool] = True
    repeats: ClassVar[bool] = True

    norm: float = option(2.0, "p of the ball ‖ε‖_p ≤ ρ: 2, inf, or any number above 1", above=1.0, infinite=True)

    ascent_steps: int = option(1, "k, gradient steps of length ρ/k from the weights to w + ε", minimum=1, maximum=1000)

    def passes_per_step(self, batch_size: int) -> float:
        del batch_size
        return 1.0 + self.ascent_steps

    def ascend(self, step: Step) -> list[Tensor]:
        length = step.rho / self.ascent_steps
        epsilon = steepest_ascent(step.ascent_gradient, length, self.norm)
        for _ in range(self.ascent_steps - 1):
            gradient = step.with_weight_decay(step.gradient_at(list(epsilon), climbing=True), epsilon)
            torch._foreach_add_(epsilon, steepest_ascent(gradient, length, self.norm))
        return epsilon
