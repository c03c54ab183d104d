"""SSAM-D: sparse sharpness-aware minimisation, whose mask changes while it trains."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS
from samcli.optim.variants._sparse_sam import SparseSAM, concatenated, largest
from samcli.registry import option


@VARIANTS.register("sparse-sam-d")
@dataclass(frozen=True, kw_only=True)
class SparseSAMD(SparseSAM):
    """SAM that perturbs a changing share of the weights: where the gradient is small, others take turns (SSAM-D).

    ::

        M = a random share 1 - s of the weights at first; then, every k steps,
            without the share a_t of M with the smallest |g|, and with as many at random from outside M
        a_t = a (1 + cos(π t/T)) / 2
        ε = M · ρ g / ‖g‖₂            (the norm is that of the whole gradient)
        w ← base(w, ∇L(w + ε))

    with a = `drop` and t/T the finished share of training (0 if nobody said how long it is). Mi, Shen, Ren, Zhou, Sun,
    Ji, Tao, "Make Sharpness-Aware Minimization Stronger: A Sparsified Perturbation Approach", NeurIPS 2022. As in the
    authors' code ε is shorter than ρ, because it is cut after it was normalised.

    Cost: two forward and backward passes; every k steps the host waits for the device. State: the positions of the
    perturbed weights. Only these are copied: with positions of 4 bytes that is less memory than SAM needs from s = 2/3
    on. No time is saved. The authors' defaults: s = 0.5, a = 0.5, a choice every epoch (390 steps of 128 examples),
    ρ = 0.1 for CIFAR-10, 0.2 for CIFAR-100; dropping by gradient and growing at random as here. Their code first
    changes the mask within the first step, ours k steps later.

    >>> from samcli.optim.example import Bowl
    >>> Bowl((3.0, 4.0)).after("sparse-sam-d", rho=0.5, sparsity=0.5).count_nonzero()  # the other is at 0
    tensor(1)
    """

    uses_progress: ClassVar[bool] = True

    drop: float = option(0.5, "a, share of the mask that is renewed at first", minimum=0.0, maximum=1.0)

    def choose(self, step: Step, gradient: list[Tensor], perturbed: Tensor | None) -> Tensor:
        random = concatenated(step.noise(), step.parameters)
        if perturbed is None:
            return largest(random, self.count(len(random)))
        share = self.drop * (1.0 + math.cos(math.pi * (step.progress or 0.0))) / 2.0
        size = int(perturbed.sum())
        dropped = min(int(size * share), len(random) - size)
        slope = concatenated(gradient, step.parameters).abs()
        stay = largest(slope.masked_fill(~perturbed, -1.0), size - dropped)
        come = largest(random.masked_fill(perturbed, -math.inf), dropped)
        return stay | come
