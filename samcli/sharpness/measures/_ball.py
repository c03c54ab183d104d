"""The neighbourhoods of the worst-case measures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from samcli.weights.geometry import global_norm, steepest_ascent


@dataclass(frozen=True)
class Ball:
    """All ε = T u with ‖u‖_p ≤ ρ, T a diagonal that is nowhere negative.

    The ascent moves u. There the gradient is T g, the projection onto the ellipsoid ‖T⁻¹ε‖ ≤ ρ is one onto a round
    ball, nothing is divided by T, and where T is zero, ε is zero.

    Attributes:
        radius: ρ.
        norm: p, 2 or `math.inf`.
        scales: T, tensors that broadcast to those of ε; None for T = 1.
        by_tensor: whether each tensor of u has a ball of radius ρ of its own.
    """

    radius: float
    norm: float = 2.0
    scales: Sequence[Tensor] | None = None
    by_tensor: bool = False

    def scaled(self, vector: Sequence[Tensor]) -> list[Tensor]:
        """T v: the ε of a u, and the gradient with respect to u where that with respect to ε is v."""
        return list(vector) if self.scales is None else list(torch._foreach_mul(list(vector), list(self.scales)))

    def steepest(self, gradient: Sequence[Tensor], length: float) -> list[Tensor]:
        """The step in u of the given length that gains most to first order; zero where the gradient is."""
        return self._each(lambda part: steepest_ascent(part, length, self.norm), gradient)

    def projected(self, u: Sequence[Tensor]) -> list[Tensor]:
        """The nearest point of the ball.

        >>> Ball(1.0).projected([torch.tensor([3.0, 4.0])])
        [tensor([0.6000, 0.8000])]
        >>> Ball(1.0, math.inf).projected([torch.tensor([0.5, -4.0])])
        [tensor([ 0.5000, -1.0000])]
        """
        if self.norm == math.inf:
            return [part.clamp(-self.radius, self.radius) for part in u]
        return self._each(self._shortened, u)

    def random(self, shapes: Sequence[Tensor], generator: torch.Generator) -> list[Tensor]:
        """A point drawn uniformly from the ball, on the CPU, and moved to where the parameters are."""
        return [
            point.to(tensor.device)
            for point, tensor in zip(self._each(lambda part: self._drawn(part, generator), shapes), shapes, strict=True)
        ]

    def length(self, u: Sequence[Tensor]) -> float:
        """‖u‖, with balls by tensor that of the longest."""
        parts = [[part] for part in u] if self.by_tensor else [list(u)]
        return max(float(global_norm(part, self.norm)) for part in parts)

    def _each(self, rule: Callable[[list[Tensor]], list[Tensor]], vector: Sequence[Tensor]) -> list[Tensor]:
        if not self.by_tensor:
            return rule(list(vector))
        return [changed for part in vector for changed in rule([part])]

    def _shortened(self, part: list[Tensor]) -> list[Tensor]:
        length = global_norm(part)
        return list(torch._foreach_mul(part, torch.where(length > self.radius, self.radius / length, 1.0)))

    def _drawn(self, part: list[Tensor], generator: torch.Generator) -> list[Tensor]:
        if self.norm == math.inf:
            unit = [torch.rand(p.shape, generator=generator, dtype=p.dtype) for p in part]
            return [self.radius * (2 * u - 1) for u in unit]
        normal = [torch.randn(p.shape, generator=generator, dtype=p.dtype) for p in part]
        share = float(torch.rand((), generator=generator)) ** (1.0 / sum(p.numel() for p in part))
        return steepest_ascent(normal, self.radius * share)
