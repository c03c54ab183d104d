"""The loss and the score of a model over a part of the data."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from samcli.data import Part
from samcli.double import in_double
from samcli.tasks import Task

BATCH_SIZE = 1000


def evaluate(
    model: nn.Module, task: Task, part: Part, see: Callable[[Tensor, Tensor], None] | None = None
) -> tuple[float, float]:
    """Mean loss and score over a part, in evaluation mode, without label smoothing and weights of classes.

    >>> from samcli.data.normalise import Normalisation
    >>> from samcli.tasks import Classification
    >>> inputs, targets = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]), torch.tensor([0, 1])
    >>> part = Part(inputs, targets, Normalisation(inputs, torch.device("cpu")))
    >>> loss, accuracy = evaluate(nn.Identity(), Classification(2), part)
    >>> accuracy
    1.0

    Args:
        model: from inputs to outputs.
        task: of the part.
        part: the examples.
        see: is given the outputs and targets of each batch.
    """
    model.eval()
    sums: Tensor | None = None
    with torch.inference_mode():
        for inputs, targets in part.batches(part.at_once(BATCH_SIZE)):
            output = model(inputs)
            if see is not None:
                see(output, targets)
            loss = in_double(task.loss(output, targets) * len(inputs)).reshape(1)
            batch_sums = torch.cat([loss, in_double(task.statistics(output, targets)).reshape(-1)])
            sums = batch_sums if sums is None else sums + batch_sums
    assert sums is not None
    return float(sums[0]) / len(part), task.score(sums[1:], len(part))
