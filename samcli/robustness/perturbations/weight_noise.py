"""Noise on weights."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from samcli.registry import option
from samcli.robustness.base import PERTURBATIONS, Perturbation
from samcli.robustness.outcome import Outcome, mean_over_draws, without_value
from samcli.robustness.perturbations._weights import matrices, replaced
from samcli.robustness.subject import Subject
from samcli.weights.geometry import filter_norms


@PERTURBATIONS.register("weight-noise")
@dataclass(frozen=True, kw_only=True)
class WeightNoise(Perturbation):
    """Accuracy with normal noise on each filter, of an expected length of `scale` times the filter's, over draws.

    A filter is what makes one output of a layer: w + scale ‖w‖ z/√d for its d weights and standard normal z. Biases and
    scales of normalisation stay. The value is the mean over draws; `draw_stderr` is the error from these, `stderr` that
    from examples too.
    """

    STRENGTH: ClassVar[str] = "scale"
    USUAL: ClassVar[tuple[float, ...]] = (0.1, 0.2, 0.4)

    scale: float = option(0.2, "expected length of the noise on a filter, in lengths of the filter", minimum=0.0)
    draws: int = option(10, "draws of the noise", minimum=1)

    def of(self, subject: Subject) -> Outcome:
        weights, generator, found = matrices(subject.model), torch.Generator(), []
        for draw in range(self.draws):
            generator = next(subject.generators("weight-noise", slice(draw, draw + 1)))

            def noisy(weight: Tensor, generator: torch.Generator = generator) -> Tensor:
                noise = torch.randn(weight.shape, generator=generator).to(weight)
                return weight + (self.scale / math.sqrt(weight[0].numel())) * filter_norms([weight])[0] * noise

            with replaced(weights, noisy):
                found.append(subject.values())
        details = {"scale": self.scale, "seed": subject.seed}
        values = torch.stack(found).double()
        if not bool(values.isfinite().all()):
            return without_value("a loss is not finite", subject.n, subject.score, **details)
        return mean_over_draws(values, subject.score, **details)
