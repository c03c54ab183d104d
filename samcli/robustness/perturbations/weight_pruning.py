"""Networks without their smallest weights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from samcli.registry import option
from samcli.robustness.base import PERTURBATIONS, Perturbation
from samcli.robustness.outcome import Outcome
from samcli.robustness.perturbations._weights import matrices, replaced
from samcli.robustness.subject import Subject


@PERTURBATIONS.register("weight-pruning")
@dataclass(frozen=True, kw_only=True)
class WeightPruning(Perturbation):
    """Accuracy with the smallest weights of all layers set to zero, without training afterwards.

    Magnitudes of all layers are compared with each other, or each layer's among themselves (`within: layer`). Biases
    and norms stay. S. Han, J. Pool, J. Tran, W. Dally (NeurIPS 2015).
    """

    STRENGTH: ClassVar[str] = "share"
    USUAL: ClassVar[tuple[float, ...]] = (0.5, 0.7, 0.9)

    share: float = option(0.7, "share of the weights that are set to zero", minimum=0.0, maximum=1.0)
    within: str = option("network", "where the smallest are looked for", choices=("network", "layer"))

    def of(self, subject: Subject) -> Outcome:
        weights = matrices(subject.model)
        groups = [weights] if self.within == "network" else [[weight] for weight in weights]
        kept = iter([mask for group in groups for mask in self._kept(group)])
        with replaced(weights, lambda weight: torch.where(next(kept), weight, 0.0)):
            values = subject.values()
        found = subject.outcome(values, share=self.share, within=self.within)
        own = subject.cached("clean", subject.values).double().mean().item()
        return replace(found, details={**found.details, "clean": own})

    def _kept(self, weights: list[Tensor]) -> list[Tensor]:
        """Which weights stay: all but so many of the smallest; of equal ones the first go first."""
        magnitudes = torch.cat([weight.detach().abs().flatten() for weight in weights])
        order = magnitudes.argsort(stable=True)
        kept = torch.ones_like(magnitudes, dtype=torch.bool)
        kept[order[: round(self.share * len(order))]] = False
        sizes = [weight.numel() for weight in weights]
        return [part.view_as(weight) for part, weight in zip(torch.split(kept, sizes), weights, strict=True)]
