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
from samcli.losses import Loss, check_mean, may_broadcast, mean_loss, target_sizes

CHECKED = 256  # examples by which a loss is looked at, at most
ENOUGH = 16  # and by no fewer where batches hold fewer


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

        It takes a forward pass of at most 256 examples, and no more than the largest batch has or 16 if that has fewer.
        They are those of all batches whose targets differ most. Where their inputs do not fit together, the examples of
        each batch have a pass of their own.

        Args:
            model: in evaluation mode.
            alone: whether the output for an example depends on that example alone.

        Raises:
            LossError: see `samcli.losses.check_mean`.
        """
        few = self._different(min(CHECKED, max(ENOUGH, *(count(*batch) for batch in self.data))))
        one = joined(few)
        together = few if one is None else [one]
        with torch.no_grad():
            found = [(model(inputs), targets) for inputs, targets in together]
        try:
            for outputs, targets in found:
                count(outputs, targets, "outputs")
        except ExamplesError:  # such as the state of a recurrent network, (layers, examples, ...)
            if alone:
                for inputs, targets in together:
                    check_mean(lambda x, y: self.whole_loss(model(x), y), inputs, targets)
        else:
            whole = joined(found)
            for outputs, targets in found if whole is None else [whole]:
                check_mean(self.whole_loss, outputs, targets)

    def _different(self, n: int) -> list[Pair]:
        """At most n examples, evenly spaced in the order of their targets, by the batches that they lie in."""
        order = torch.cat([target_sizes(targets) for _, targets in self.data]).argsort(stable=True)
        if len(order) > n:
            order = order[torch.linspace(0, len(order) - 1, n, device=order.device).round().long()]
        chosen = torch.zeros(self.examples, dtype=torch.bool, device=order.device).index_fill(0, order, True)
        positions = [part.nonzero()[:, 0] for part in torch.split(chosen, [count(*batch) for batch in self.data])]
        return [take(batch, some) for batch, some in zip(self.data, positions, strict=True) if len(some)]


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
