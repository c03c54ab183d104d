"""The statistics that BatchNorm normalises by while a model is measured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from samcli.errors import ConfigError, nearest
from samcli.examples import count
from samcli.sharpness.problem import Batches
from samcli.weights.batch_norm import batch_norms, recalibrate

MODES = ("evaluation", "recalibrated", "batch")


@contextmanager
def normalising(model: nn.Module, mode: str, data: Batches) -> Iterator[None]:
    """Within the block the BatchNorm layers of a model in evaluation mode take the statistics of a mode.

    The running statistics lag behind the weights, and values can differ by factors between the modes.

    - "evaluation": they are used as they are.
    - "recalibrated": one pass over the data first, by the statistics of its batches, whose averages, each batch
      counted by its size, become the running statistics. For the first layer the mean is that of all examples; the
      variance is that within batches.
    - "batch": each batch by its own, which depend on the weights too. The loss is then no mean over independent
      examples: values change with the size of the batches, a set of examples that a measure cuts by itself
      (m-sharpness, relative flatness) is a batch, and errors of the choice of examples are rough. Running statistics
      are neither used nor changed.

    Frozen layers take their running statistics in every mode, as they did while the others were trained.

    Afterwards the layers are what they were, except for the buffers, which the caller restores. Other layers, dropout
    among them, stay in evaluation mode.

    Args:
        model: in evaluation mode.
        mode: one of `MODES`.
        data: (input, target) batches.

    Raises:
        ConfigError: no such mode, or a batch of one example, which has no variance.

    >>> import torch
    >>> model, inputs = nn.BatchNorm1d(1).eval(), torch.tensor([[0.0], [2.0]])
    >>> with normalising(model, "batch", [(inputs, inputs)]):
    ...     model(inputs).round().flatten().tolist()
    [-1.0, 1.0]
    >>> model(inputs).round().flatten().tolist()  # the running statistics are those of a new layer
    [0.0, 2.0]
    """
    if mode not in MODES:
        raise ConfigError(f"There is no BatchNorm mode {mode!r}; {nearest(mode, MODES)}")
    layers = batch_norms(model)
    if mode == "evaluation" or not layers:
        yield
        return
    if any(count(*batch) == 1 for batch in data):
        raise ConfigError(
            "BatchNorm takes its statistics from batches, and one of them is a single example; measure on another "
            "number of examples, in batches of another size, or in the mode evaluation."
        )
    before = [(layer, layer.training, layer.momentum, layer.track_running_stats) for layer in layers]
    try:
        if mode == "recalibrated":
            recalibrate(model, layers, data)
        else:
            for layer in layers:
                layer.train()
                layer.track_running_stats = False
        yield
    finally:
        for layer, training, momentum, tracked in before:
            layer.training, layer.momentum, layer.track_running_stats = training, momentum, tracked
