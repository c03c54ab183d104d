"""Weights of classes in the loss of one logit, which is that of two classes."""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from samcli.losses import MeanLoss, mean_loss


def weighted_binary(weights: Tensor, label_smoothing: float) -> MeanLoss:
    """The loss of logits (N, 1) with a weight for either class, see `Task.weighted_loss`.

    A logit z is the two logits (0, z).

    Args:
        weights: (2,).
        label_smoothing: as for `Task.loss`.

    >>> loss = weighted_binary(torch.tensor([1.0, 3.0]), 0.0)
    >>> loss(torch.zeros(2, 1), torch.tensor([0, 1])), loss.denominator(torch.tensor([0, 1]))
    (tensor(0.6931), tensor(4.))
    """
    pair = mean_loss(partial(F.cross_entropy, weight=weights, label_smoothing=label_smoothing))
    assert pair is not None
    return MeanLoss(partial(_total, pair=pair), partial(_denominator, pair=pair))


def _total(output: Tensor, target: Tensor, pair: MeanLoss) -> Tensor:
    logits = torch.cat([torch.zeros_like(output), output], 1)
    return pair.total(logits, _classes(target))


def _denominator(target: Tensor, pair: MeanLoss) -> Tensor | float:
    return pair.denominator(_classes(target))


def _classes(target: Tensor) -> Tensor:
    """Class numbers as they are; of the probability of class 1 both probabilities."""
    return torch.stack([1.0 - target, target], 1) if target.is_floating_point() else target
