"""Weights of few bits."""

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


@PERTURBATIONS.register("weight-rounding")
@dataclass(frozen=True, kw_only=True)
class WeightRounding(Perturbation):
    """Accuracy with weights rounded to few bits, simulated: to the nearest of 2ᵇ - 1 values, symmetric around zero.

    w becomes s · round(w/s), s = max|w|/(2ᵇ⁻¹ - 1), the maximum over a tensor, or over each of its filters (`per:
    channel`). Weights of layers only: biases, norms and activations stay in floating point, and so does the arithmetic.
    Nothing is trained or calibrated afterwards.
    """

    STRENGTH: ClassVar[str] = "bits"
    USUAL: ClassVar[tuple[float, ...]] = (8, 6, 4, 3)

    bits: int = option(4, "bits of each weight", minimum=2, maximum=16)
    per: str = option(
        "tensor", "what has a scale of its own: each tensor, or each output channel", choices=("tensor", "channel")
    )

    def of(self, subject: Subject) -> Outcome:
        with replaced(matrices(subject.model), self._rounded):
            values = subject.values()
        found = subject.outcome(values, bits=self.bits, per=self.per)
        own = subject.cached("clean", subject.values).double().mean().item()
        return replace(found, details={**found.details, "clean": own})

    def _rounded(self, weight: Tensor) -> Tensor:
        return rounded(weight, self.bits, by_channel=self.per == "channel")


def rounded(weight: Tensor, bits: int, *, by_channel: bool) -> Tensor:
    """A weight at the nearest of 2ᵇ - 1 values, symmetric around zero.

    >>> rounded(torch.tensor([[1.0, -0.4], [0.1, 0.04]]), 2, by_channel=False)
    tensor([[1., -0.],
            [0., 0.]])
    >>> rounded(torch.tensor([[1.0, -0.4], [0.1, 0.04]]), 2, by_channel=True)
    tensor([[1.0000, -0.0000],
            [0.1000, 0.0000]])
    """
    largest = weight.abs().amax(tuple(range(1, weight.dim())), keepdim=True) if by_channel else weight.abs().amax()
    scale = largest / (2 ** (bits - 1) - 1)
    return torch.where(scale > 0, (weight / scale).round() * scale, weight)
