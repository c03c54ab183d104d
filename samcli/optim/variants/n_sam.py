"""n-SAM: one perturbation for the whole training set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from samcli.optim.means import ByParameter
from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, TwoPass
from samcli.registry import option
from samcli.weights.geometry import steepest_ascent
from samcli.weights.perturb import Epsilon


@VARIANTS.register("n-sam")
@dataclass(frozen=True, kw_only=True)
class NSAM(TwoPass):
    """Climb for the whole training set, descend for the batch: SAM without what its small batches add.

    ::

        G = ∇L_n(w), over all n training examples
        ε = ρ G / ‖G‖₂
        w ← base(w, ∇L_B(w + ε))

    The limit of m-sharpness for m = n (Foret et al., ICLR 2021, section on m-sharpness), which generalises no better
    than SGD in M. Andriushchenko and N. Flammarion (ICML 2022), figure 1. With the batch as the whole training set it
    is SAM. Where the `Batch` knows no training set, as in a loop of one's own that does not hand one over, the batch is
    taken for it.

    Cost: a forward and backward pass over the training set in each step, beside two of the batch: n/B + 2 passes. The
    training set is passed without augmentation, in training mode, in batches whose BatchNorm statistics are their own,
    with `every` above 1 only at every so many steps, between which ε keeps its direction. State: that direction.

    >>> from samcli.optim.example import Bowl
    >>> Bowl((3.0, 4.0)).after("n-sam", rho=0.5)  # of one batch, as SAM
    tensor([-0.3000, -0.4000])
    """

    passes: ClassVar[str] = "n/B + 2"
    memory: ClassVar[str] = "2"
    paper: ClassVar[str] = "Foret et al., ICLR"
    year: ClassVar[int] = 2021

    every: int = option(1, "steps from one pass over the training set to the next", minimum=1)

    def ascend(self, step: Step) -> list[Tensor]:
        kept = step.memory("direction")
        if step.index % self.every == 0:
            for direction, new in zip(kept, self._gradient(step), strict=True):
                direction.copy_(new)
        return steepest_ascent(kept, step.rho)

    def objection(self, base: Optimizer, model: nn.Module | None, *, m: int | None, scaled: bool) -> str:
        if m is not None:
            return "n-sam climbs for the whole training set, and m for parts of a batch; leave m out."
        return super().objection(base, model, m=m, scaled=scaled)

    def _gradient(self, step: Step) -> list[Tensor]:
        """G, one tensor for each of `step.parameters`."""
        first, sums, total = step.ascent_gradient, ByParameter(), torch.zeros((), device=step.device)
        for part in step.over_training_set():
            weight = torch.as_tensor(part.weight, dtype=torch.float32, device=step.device)
            nowhere: list[Epsilon] = [None] * len(step.parameters)
            sums.add(step.parameters, step.gradient_at(nowhere, part), weight)
            total = total + weight
        return step.with_weight_decay([sums[p] / total for p in step.parameters]) if sums else first
