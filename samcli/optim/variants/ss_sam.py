"""SS-SAM: SAM at randomly chosen steps."""

from __future__ import annotations

import random
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, TwoPass
from samcli.registry import option
from samcli.weights.geometry import steepest_ascent


@VARIANTS.register("ss-sam")
@dataclass(frozen=True, kw_only=True)
class StochasticScheduledSAM(TwoPass):
    """A coin with probability p decides at each step between SAM and the base optimizer.

    ::

        x ~ Bernoulli(p)
        w ← base(w, ∇L(w + ρ g / ‖g‖₂))   if x = 1
        w ← base(w, g)                    if x = 0

    with g = ∇L(w). Zhao, Zhang, Hu, "SS-SAM: Stochastic Scheduled Sharpness-Aware Minimization for Efficiently Training
    Deep Neural Networks", 2022, later called randomized sharpness-aware training (RST). The rule is as the abstracts
    say; they leave p to a schedule, of which a constant one is offered here.

    Cost: 1 + p forward and backward passes on average. State: none; the coin is a function of the seed and the step,
    tossed on the host without waiting for the device, and one for all micro-batches. Defaults: ρ is SAM's; p = 0.5 is
    our choice.

    >>> from samcli.optim.example import Bowl
    >>> Bowl((3.0, 4.0)).after("ss-sam", rho=0.5, p=1.0)  # always SAM
    tensor([-0.3000, -0.4000])
    >>> Bowl((3.0, 4.0)).after("ss-sam", rho=0.5, p=0.0)  # never
    tensor([0., 0.])
    """

    decides_ahead: ClassVar[bool] = True
    passes: ClassVar[str] = "1 + p"
    paper: ClassVar[str] = "Zhao et al., arXiv"
    year: ClassVar[int] = 2022
    parts_apart: ClassVar[bool] = True

    p: float = option(0.5, "probability of a SAM step", minimum=0.0, maximum=1.0)

    def ascend(self, step: Step) -> list[Tensor]:
        return steepest_ascent(step.ascent_gradient, step.rho)

    def perturbs(self, step: Step) -> bool:
        return self._tossed(step.index, step.seed)

    def passes_per_step(self, batch_size: int) -> float:
        del batch_size
        return 1.0 + self.p

    def signature(self, index: int, seed: int, state: Mapping[str, Any]) -> Hashable:
        return self._tossed(index, seed)

    def _tossed(self, index: int, seed: int) -> bool:
        return random.Random(hash((seed, index, 0))).random() < self.p
