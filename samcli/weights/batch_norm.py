"""The BatchNorm layers of a network, and running statistics for weights that no training step has made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from samcli.examples import count
from samcli.weights.frozen import is_held


def batch_norms(model: nn.Module) -> list[_BatchNorm]:
    """The BatchNorm layers that normalise by their batches in training; frozen ones stay with what they came with.

    >>> model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.LayerNorm(2))
    >>> batch_norms(model) == [model[1]]
    True
    """
    return [module for module in model.modules() if isinstance(module, _BatchNorm) and not is_held(module)]


def recalibrate(model: nn.Module, layers: Sequence[_BatchNorm], data: Iterable[tuple[Any, Any]]) -> None:
    """Replace running statistics by those of one pass over batches, each counted by its size.

    For the first layer the mean is that of all examples; the variance is that within batches. Every layer sees what the
    layers below it make of a batch by the statistics of that batch, as in training. All modules but these layers stay
    in the mode that they are in; whether dropout is on is the caller's choice.

    Args:
        model: passed in no particular mode, without gradients.
        layers: of the model, put into training mode for the pass.
        data: (input, target) batches of two examples or more.

    >>> layer, inputs = nn.BatchNorm1d(1).eval(), torch.tensor([[0.0], [2.0], [1.0], [3.0]])
    >>> recalibrate(layer, [layer], [(inputs[:2], inputs[:2]), (inputs[2:], inputs[2:])])
    >>> layer.running_mean, layer.running_var, layer.training
    (tensor([1.5000]), tensor([2.]), False)
    """
    before = [(layer, layer.training, layer.momentum) for layer in layers]
    seen = 0
    try:
        for layer in layers:
            layer.reset_running_stats()
            layer.train()
        with torch.no_grad():
            for inputs, targets in data:
                n = count(inputs, targets)
                seen += n
                for layer in layers:
                    layer.momentum = n / seen
                model(inputs)
    finally:
        for layer, training, momentum in before:
            layer.training, layer.momentum = training, momentum
