"""The means over the micro-batches of a step, and the descent of their gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from samcli.weights.geometry import global_norm

# Of a batch: a number, or a tensor without dimensions where only the device knows it.
Share = float | Tensor


def is_whole(share: Share) -> bool:
    """Whether a share is known to be all.

    >>> is_whole(1.0), is_whole(0.5), is_whole(torch.tensor(1.0))
    (True, False, False)
    """
    return not isinstance(share, Tensor) and share == 1.0


class ByParameter(dict[Tensor, Tensor]):
    """Weighted sums of tensors, by the parameter that they belong to.

    >>> weight = torch.zeros(2)
    >>> sums = ByParameter()
    >>> for share, gradient in ((0.25, torch.ones(2)), (0.75, 3 * torch.ones(2))):
    ...     sums.add([weight], [gradient], share)
    >>> sums[weight]
    tensor([2.5000, 2.5000])
    """

    def add(self, parameters: Sequence[Tensor], tensors: Sequence[Tensor], share: Share) -> None:
        """Add one micro-batch's tensors, aligned with the parameters."""
        for p, tensor in zip(parameters, tensors, strict=True):
            part = tensor if is_whole(share) else share * tensor
            self[p] = self[p] + part if p in self else part

    def hand_over(self) -> None:
        """Store each tensor as the gradient of its parameter."""
        for p, tensor in self.items():
            p.grad = tensor


# Lets a base optimizer take a step along a gradient.
Descent = Callable[[ByParameter], None]


@dataclass
class StepMeans:
    """The means over the micro-batches of a step, each weighted with its share of the batch.

    Attributes:
        gradient: the mean of what `Variant.gradient` returned.
        extras: the means of `Step.extras`, by name, in the order in which the names were first used.
        displacement: the mean of `Step.displacement`, which is added to the weights after the descent.
    """

    gradient: ByParameter = field(default_factory=ByParameter)
    extras: dict[str, ByParameter] = field(default_factory=dict)
    displacement: ByParameter = field(default_factory=ByParameter)

    def add(
        self,
        parameters: Sequence[Tensor],
        gradient: Sequence[Tensor],
        extras: Mapping[str, Sequence[Tensor]],
        displacement: Sequence[Tensor],
        share: Share,
    ) -> None:
        """Add what one micro-batch gave; the lists are aligned with the parameters, `displacement` may be empty."""
        self.gradient.add(parameters, gradient, share)
        for name, tensors in extras.items():
            self.extras.setdefault(name, ByParameter()).add(parameters, tensors, share)
        self.displacement.add(parameters if displacement else [], displacement, share)

    def tensors(self) -> list[Tensor]:
        """All tensors, in one list."""
        return [t for sums in (self.gradient, *self.extras.values(), self.displacement) for t in sums.values()]

    def norm(self) -> Tensor:
        """The 2-norm of all tensors as one vector, on their device: finite only if all of them are, 0 without any."""
        tensors = self.tensors()
        return global_norm(tensors) if tensors else torch.tensor(0.0)

    def displace(self, unless: Tensor | None = None) -> None:
        """Add the displacement to the weights.

        Args:
            unless: a flag on the device: where it is set, nothing is added.
        """
        if self.displacement:
            moves = list(self.displacement.values())
            moves = moves if unless is None else [move.masked_fill(unless, 0.0) for move in moves]
            torch._foreach_add_(list(self.displacement), moves)
