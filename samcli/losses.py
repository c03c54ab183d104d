"""Losses as means: over what, of which examples, and whether one is a mean over examples at all."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map

from samcli.errors import LossError
from samcli.examples import count, take

Loss = Callable[[Any, Any], Tensor]


@dataclass(frozen=True)
class MeanLoss:
    """A mean loss that divides by something else than the number of examples, such as words, or weights of classes.

    Called with outputs and targets it gives their mean. What goes through examples in parts adds up the totals of the
    parts, and divides once by the denominator of all, so that nothing depends on how they are cut.

    Attributes:
        total: of outputs and targets, the sum over the examples.
        denominator: of the targets, what the mean divides by; it adds up over examples too.

    >>> words = MeanLoss(lambda output, target: (output - target).square().sum(), lambda target: target.numel())
    >>> words(torch.ones(2, 3), torch.zeros(2, 3))
    tensor(1.)
    """

    total: Loss
    denominator: Callable[[Any], Tensor | float]

    def __call__(self, outputs: Any, targets: Any) -> Tensor:
        """The mean of the examples."""
        return self.total(outputs, targets) / self.denominator(targets)


def mean_loss(loss: Loss) -> MeanLoss | None:
    """A loss as total and denominator; None of one that is taken for a mean over examples.

    Known are, besides a `MeanLoss`, torch's cross-entropy and negative log-likelihood, as modules, as functions, and as
    `partial` of these: they divide by the weights of the classes, and leave ignored targets out.

    >>> found = mean_loss(nn.CrossEntropyLoss(weight=torch.tensor([1.0, 6.0])))
    >>> found.denominator(torch.tensor([0, 1, -100]))
    tensor(7.)
    >>> mean_loss(nn.functional.mse_loss)
    """
    if isinstance(loss, MeanLoss):
        return loss
    classes = (nn.CrossEntropyLoss, nn.NLLLoss)  # one derived from them may compute something else
    if isinstance(loss, classes) and type(loss).forward in [c.forward for c in classes] and loss.reduction == "mean":
        summed = copy.copy(loss)
        summed.reduction = "sum"
        return MeanLoss(summed, partial(_weight_of, weight=loss.weight, ignore_index=loss.ignore_index))
    function = loss.func if isinstance(loss, partial) and not loss.args else loss
    options = loss.keywords if isinstance(loss, partial) else {}
    if function in (F.cross_entropy, F.nll_loss) and options.get("reduction", "mean") == "mean":
        known = {"weight": options.get("weight"), "ignore_index": options.get("ignore_index", -100)}
        return MeanLoss(partial(function, **{**options, "reduction": "sum"}), partial(_weight_of, **known))
    return None


def _weight_of(targets: Tensor, weight: Tensor | None, ignore_index: int) -> Tensor | float:
    """What torch's mean cross-entropy divides by."""
    if targets.is_floating_point():  # probabilities of classes, (N, C, ...), whose weights it does not divide by
        return targets.numel() / targets.shape[min(1, targets.dim() - 1)]
    counted = targets != ignore_index
    if weight is None:
        return counted.sum()
    return torch.where(counted, weight[torch.where(counted, targets, 0)], 0.0).sum()


def checked(value: object) -> Tensor:
    """A loss, if it is one number.

    Raises:
        LossError: it is not.

    >>> checked(torch.ones(3))
    Traceback (most recent call last):
    samcli.errors.LossError: The loss gives a tensor of shape (3,), but it has to be one real number, the mean over \
its batch; torch's own losses give that with reduction="mean".
    """
    if isinstance(value, Tensor) and value.numel() == 1 and value.is_floating_point():
        return value
    what = type(value).__name__
    if isinstance(value, Tensor):
        kind = "" if value.is_floating_point() else f" and type {str(value.dtype).removeprefix('torch.')}"
        what = f"tensor of shape {tuple(value.shape)}{kind}"
    raise LossError(
        f"The loss gives a {what}, but it has to be one real number, the mean over its batch; torch's own losses give "
        'that with reduction="mean".'
    )


@torch.no_grad()
def check_mean(loss: Loss, outputs: Any, targets: Any) -> None:
    """Refuse a loss that is not the mean over examples, before something is computed from parts of them.

    The loss of all given examples has to be the mean of the losses of two parts, each counted by its size. The parts
    are cut where they differ most, in the order of the targets, once in the middle and once after a third. They may
    differ by half the digits of the loss's type: a mean over examples differs by rounding, which is less, and another
    by the spread of what it divides by, which is more. The model has no part in it. Where a loss is not finite, nothing
    can be said. The host waits once for the device.

    Args:
        loss: of outputs and targets.
        outputs: of the model for some examples.
        targets: of the same examples.

    Raises:
        LossError: the parts differ.

    >>> summed = nn.MSELoss(reduction="sum")
    >>> check_mean(summed, torch.ones(4, 1), torch.zeros(4, 1))
    Traceback (most recent call last):
    samcli.errors.LossError: The loss is not a mean over examples: of 4 of them it is 4, but of two parts of these 2.5 \
on average. Give it as samcli.losses.MeanLoss(total, denominator): the sum over examples, and what the mean divides by.
    """
    n = count(outputs, targets, "outputs")
    if n < 2:
        return
    order = by_targets(targets)
    outputs, targets = take(outputs, order), take(targets, order)
    known = mean_loss(loss)
    found = [checked(loss(outputs, targets))]
    sizes: list[Tensor | float] = []
    cuts = sorted({n // 2, max(1, n // 3)})
    for part in (part for cut in cuts for part in (slice(0, cut), slice(cut, n))):
        some = take(targets, part)
        found.append(checked((known.total if known else loss)(take(outputs, part), some)))
        sizes.append(known.denominator(some) if known else len(range(n)[part]))
    whole, *parts = torch.stack([value.detach().reshape(()) for value in found]).tolist()
    weights = [float(size) for size in sizes]
    tolerance = torch.finfo(found[0].dtype).eps ** 0.5
    for i in range(0, len(parts), 2):
        totals = parts[i : i + 2] if known else [parts[i] * weights[i], parts[i + 1] * weights[i + 1]]
        size = sum(weights[i : i + 2])
        mean = sum(totals) / size if size else whole
        largest = max(abs(whole), *(abs(total) / size for total in totals)) if size else 0.0
        # a finite mean over examples has finite parts, one that divides by zero does not
        if abs(mean - whole) > tolerance * largest or (math.isfinite(whole) and not math.isfinite(mean)):
            advice = (
                f"Outputs of shape {tuple(outputs.shape)} and targets of shape {tuple(targets.shape)} are compared "
                "each with each: give both one shape."
                if may_broadcast(outputs, targets)
                else "Give it as samcli.losses.MeanLoss(total, denominator): the sum over examples, and what the mean "
                "divides by."
            )
            raise LossError(
                f"The loss is not a mean over examples: of {n} of them it is {whole:.6g}, but of two parts of these "
                f"{mean:.6g} on average. {advice}"
            )


def may_broadcast(outputs: Any, targets: Any) -> bool:
    """Whether outputs and targets are as many numbers in other shapes, which a loss may compare each with each.

    >>> may_broadcast(torch.ones(4, 1), torch.ones(4)), may_broadcast(torch.ones(4, 1), torch.ones(4, 1))
    (True, False)
    """
    if not (isinstance(outputs, Tensor) and isinstance(targets, Tensor) and targets.is_floating_point()):
        return False
    return outputs.shape != targets.shape and outputs.numel() == targets.numel() > 1


@torch.no_grad()
def check_flat(loss: Loss, outputs: Any, targets: Any) -> None:
    """Refuse a loss without a gradient that depends on the outputs all the same: detached, or a count of errors.

    Args:
        loss: of outputs and targets, found to have no gradient.
        outputs: of the model; those without a gradient of their own tell nothing.
        targets: of the same examples.

    Raises:
        LossError: it is another for the negative outputs.

    >>> check_flat(lambda output, target: target.mean(), torch.ones(2), torch.ones(2))
    """
    if not any(isinstance(leaf, Tensor) and leaf.requires_grad for leaf in tree_leaves(outputs)):
        return
    other = tree_map(lambda leaf: -leaf if isinstance(leaf, Tensor) and leaf.is_floating_point() else leaf, outputs)
    if not torch.equal(checked(loss(outputs, targets)), checked(loss(other, targets))):
        raise LossError(
            "The loss depends on the outputs, but has no gradient: it is detached, or counts errors. Give one that can "
            "be differentiated."
        )


def by_targets(targets: Any) -> Tensor:
    """The positions of the examples sorted by their targets, those of several numbers by their sum.

    >>> by_targets(torch.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    return target_sizes(targets).argsort(stable=True)


def target_sizes(targets: Any) -> Tensor:
    """A number for each example, by which targets can be put in order: the sum of those it has.

    >>> target_sizes({"words": torch.tensor([[2, 0], [1, 4]])})
    tensor([2., 5.])
    """
    leaf = next(leaf for leaf in tree_leaves(targets) if isinstance(leaf, Tensor) and leaf.dim())
    return leaf.reshape(len(leaf), -1).float().sum(1)


def example_losses(loss: Loss, outputs: Any, targets: Any) -> Tensor:
    """The loss of each example, (B,), float32 or wider, of a loss that takes the mean over a batch.

    Args:
        loss: `loss(outputs, targets)`; it is applied to batches of one example. Of a `MeanLoss` it is the total.
        outputs: of the model, (B, ...), in any structure; the result is differentiable in them.
        targets: (B, ...), likewise.

    >>> outputs, targets = torch.tensor([[1.0], [3.0]]), torch.tensor([[0.0], [0.0]])
    >>> example_losses(torch.nn.functional.mse_loss, outputs, targets)
    tensor([1., 9.])
    """
    count(outputs, targets, "outputs")
    known = mean_loss(loss)
    of_one = loss if known is None else known.total

    def apply(output: Any, target: Any) -> Tensor:
        return checked(of_one(tree_map(_batch_of_one, output), tree_map(_batch_of_one, target))).reshape(())

    axes = tuple(
        tree_map(lambda leaf: 0 if isinstance(leaf, Tensor) and leaf.dim() else None, x) for x in (outputs, targets)
    )
    each: Tensor = torch.vmap(apply, in_dims=axes)(tree_map(_wide, outputs), targets)
    return each


def _batch_of_one(leaf: Any) -> Any:
    return leaf.unsqueeze(0) if isinstance(leaf, Tensor) else leaf


def _wide(leaf: Any) -> Any:
    if isinstance(leaf, Tensor) and leaf.is_floating_point():
        return leaf.to(torch.promote_types(leaf.dtype, torch.float32))
    return leaf
