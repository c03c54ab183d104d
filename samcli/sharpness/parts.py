"""The examples that are measured, batch by batch, and the share of each batch in their mean loss."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from samcli.errors import ExamplesError, LossError
from samcli.examples import Pair, count, joined, moved_to, pairs, take
from samcli.losses import Loss, by_targets, check_mean, may_broadcast, mean_loss

CHECKED = 256  # examples by which a loss is looked at, at most


@dataclass(frozen=True, eq=False)
class Parts:
    """Batches of examples, and a loss whose values for them, each times its share, add up to the mean loss of all.

    Attributes:
        whole_loss: as it was given.
        loss: of a batch: the mean over its examples, or the sum where the denominator is another number.
        data: (inputs, targets) batches.
        shares: one for each batch.
        examples: their number.
        denominator: what the mean over all divides by; the number of examples if nothing else is known.

    >>> data = [(torch.ones(2, 2), torch.tensor([0, 1])), (torch.ones(1, 2), torch.tensor([1]))]
    >>> parts = Parts.of(nn.CrossEntropyLoss(weight=torch.tensor([1.0, 3.0])), data)
    >>> parts.examples, parts.denominator
    (3, 7.0)
    """

    whole_loss: Loss
    loss: Loss
    data: list[Pair]
    shares: list[float]
    examples: int
    denominator: float

    @classmethod
    def of(cls, loss: Loss, data: Iterable[Any], device: torch.device | None = None) -> Parts:
        """Weigh batches by what the loss divides by.

        Args:
            loss: `loss(outputs, targets)`, the mean over a batch.
            data: batches, see `samcli.examples.pairs`.
            device: where they are moved to.

        Raises:
            ExamplesError: no examples, or a batch of another form.
            LossError: the denominator is not positive, or targets of several sizes have a loss without one.
        """
        batches = pairs(data)
        if device is not None:
            batches = [moved_to(batch, device) for batch in batches]
        counts = [count(*batch) for batch in batches]
        known = mean_loss(loss)
        if known is None:
            _check_sizes(batches)
            return cls(loss, loss, batches, [n / sum(counts) for n in counts], sum(counts), float(sum(counts)))
        denominator = float(sum(float(known.denominator(targets)) for _, targets in batches))
        if not 0.0 < denominator < math.inf:
            raise LossError(
                f"The mean loss divides by {denominator:g}: none of the examples counts for it, or one counts without "
                "end. Measure on others, or mend the denominator."
            )
        if len(batches) == 1:
            return cls(loss, loss, batches, [1.0], sum(counts), denominator)
        return cls(loss, known.total, batches, [1.0 / denominator] * len(batches), sum(counts), denominator)

    def __iter__(self) -> Iterator[tuple[Any, Any, float]]:
        """Inputs, targets and share of each batch."""
        return ((inputs, targets, share) for (inputs, targets), share in zip(self.data, self.shares, strict=True))

    def of_examples(self) -> float:
        """The factor that turns the losses of single examples into numbers whose mean is the mean loss."""
        return 1.0 if mean_loss(self.whole_loss) is None else self.examples / self.denominator

    def subsets(self, m: int, *, whole: bool) -> Iterator[list[Pair]]:
        """Batches with the examples of successive sets of m; the last has what is left.

        Args:
            m: examples in a set.
            whole: whether a set has to be one batch.

        Raises:
            ExamplesError: it has to be, and the tensors of its batches do not fit together.
        """
        for start in range(0, self.examples, m):
            pieces, before = [], 0
            for batch in self.data:
                n = count(*batch)
                chosen = slice(max(start - before, 0), max(start + m - before, 0))
                if chosen.start < n and chosen.stop > 0:
                    pieces.append(take(batch, chosen))
                before += n
            one = joined(pieces)
            if one is None and whole:
                raise ExamplesError(
                    "The examples of a set lie in batches whose tensors do not fit together, so it has no BatchNorm "
                    "statistics; choose m as large as the batches, or another batch_norm mode."
                )
            yield pieces if one is None else [one]

    def may_broadcast(self, model: nn.Module) -> bool:
        """Whether the loss may compare outputs and targets each with each, by the outputs of two examples."""
        inputs, targets = self.data[0]
        if not (isinstance(targets, Tensor) and targets.is_floating_point()):
            return False
        with torch.no_grad():
            return may_broadcast(model(take(inputs, slice(0, 2))), take(targets, slice(0, 2)))

    def check(self, model: nn.Module, *, alone: bool) -> None:
        """Refuse a loss that is not a mean over examples, by the outputs for some of them.

        It takes a forward pass of at most 256 examples, and no more than the largest batch has. They are from as many
        batches as there are, with targets as different as there are.

        Args:
            model: in evaluation mode.
            alone: whether the output for an example depends on that example alone.

        Raises:
            LossError: see `samcli.losses.check_mean`.
        """
        budget = min(CHECKED, max(count(*batch) for batch in self.data))
        some = self.data[:: math.ceil(2 * len(self.data) / budget)]
        few = [take(batch, _spread(batch, max(2, budget // len(some)))) for batch in some]
        one = joined(few)
        for inputs, targets in few if one is None else [one]:
            with torch.no_grad():
                outputs = model(inputs)
            try:
                count(outputs, targets, "outputs")
            except ExamplesError:  # such as the state of a recurrent network, (layers, examples, ...)
                if alone:
                    check_mean(lambda x, y: self.whole_loss(model(x), y), inputs, targets)
            else:
                check_mean(self.whole_loss, outputs, targets)


def _check_sizes(batches: list[Pair]) -> None:
    """Refuse targets of several sizes: examples that do not go first, or have as many numbers as they like.

    A mean over such numbers is none over examples.

    Raises:
        LossError: the targets of two batches have other shapes beside the number of examples.
    """
    shapes = dict.fromkeys(
        tuple(tuple(leaf.shape[1:]) for leaf in tree_leaves(targets) if isinstance(leaf, Tensor))
        for _, targets in batches
    )
    if len(shapes) > 1:
        one, other = (" and ".join(map(str, shape)) for shape in list(shapes)[:2])
        raise LossError(
            f"An example's targets have the shape {one} in one batch and {other} in another: have examples go first, "
            "or give the loss as samcli.losses.MeanLoss(total, denominator), the sum over examples and what its mean "
            "divides by."
        )


def _spread(batch: Pair, k: int) -> Tensor:
    """The positions of at most k examples of a batch, evenly spaced in the order of their targets."""
    order = by_targets(batch[1])
    if len(order) <= k:
        return order
    return order[torch.linspace(0, len(order) - 1, k, device=order.device).round().long()]
