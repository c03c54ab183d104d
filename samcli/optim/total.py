"""What the passes of a step came to, and the descent of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor


class Sums(dict[Tensor, Tensor]):
    """Weighted sums of tensors by the parameter they belong to."""

    def add(self, parameters: Sequence[Tensor], tensors: Sequence[Tensor], share: float) -> None:
        """Add one micro-batch's tensors, aligned with the parameters."""
        for p, tensor in zip(parameters, tensors, strict=True):
            part = tensor if share == 1.0 else share * tensor
            self[p] = self[p] + part if p in self else part

    def hand_over(self) -> None:
        """Make them the gradients of their parameters."""
        for p, tensor in self.items():
            p.grad = tensor


# Lets a base optimizer take a step along a gradient.
Descent = Callable[[Sums], None]


@dataclass
class Total:
    """Means over the micro-batches of a step, each weighted with its share of the batch.

    Attributes:
        gradient: what `Variant.gradient` returned.
        aside: what it left in `Step.aside`, by name, in the order in which the names were first used.
        push: what is added to the weights after the descent.
    """

    gradient: Sums = field(default_factory=Sums)
    aside: dict[str, Sums] = field(default_factory=dict)
    push: Sums = field(default_factory=Sums)

    def add(
        self,
        parameters: Sequence[Tensor],
        gradient: Sequence[Tensor],
        aside: Mapping[str, Sequence[Tensor]],
        push: Sequence[Tensor],
        share: float,
    ) -> None:
        """Add what one micro-batch gave; the lists are aligned with the parameters, `push` may be empty."""
        self.gradient.add(parameters, gradient, share)
        for name, tensors in aside.items():
            self.aside.setdefault(name, Sums()).add(parameters, tensors, share)
        self.push.add(parameters if push else [], push, share)

    def tensors(self) -> list[Tensor]:
        """All of them."""
        return [tensor for sums in (self.gradient, *self.aside.values(), self.push) for tensor in sums.values()]

    def apply_push(self, unless: Tensor | None = None) -> None:
        """Add it to the weights.

        Args:
            unless: a flag on the device: where it is set, nothing is added.
        """
        if self.push:
            moves = list(self.push.values())
            moves = moves if unless is None else [move.masked_fill(unless, 0.0) for move in moves]
            torch._foreach_add_(list(self.push), moves)
