"""Which classes a model takes for which."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from samcli.data import Dataset
from samcli.runs.confusion import MOST_CLASSES, Confusion
from samcli.tasks import Task
from samcli.train.evaluation import evaluate


class Counts:
    """How many examples of each class were predicted to be of each, counted on their device.

    >>> from samcli.tasks import Classification
    >>> counts = Counts(Classification(2))
    >>> counts(torch.tensor([[2.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 0]))
    >>> counts.rows
    [[1, 1], [0, 0]]
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._counts: Tensor | None = None

    def __call__(self, output: Tensor, target: Tensor) -> None:
        """Add a batch."""
        classes = self._task.classes or 0
        pairs = target * classes + self._task.predicted(output)
        counts = torch.zeros(classes * classes, dtype=torch.int64, device=pairs.device)
        counts.index_add_(0, pairs, torch.ones_like(pairs))  # bincount would wait for the device
        self._counts = counts if self._counts is None else self._counts + counts

    @property
    def rows(self) -> list[list[int]]:
        """For each true class the counts of the predicted ones; waits for the device."""
        assert self._counts is not None
        classes = self._task.classes or 0
        rows: list[list[int]] = self._counts.reshape(classes, classes).tolist()
        return rows


def confusion_of(model: nn.Module, data: Dataset) -> Confusion | None:
    """The confusion matrix of a model on the test part; None for a regression, and for more than 100 classes.

    It is a function of the weights and the data, by the batches and the rule of the test accuracy.
    """
    classes = data.task.classes
    if classes is None or classes > MOST_CLASSES:
        return None
    counts = Counts(data.task)
    evaluate(model, data.task, data.test, counts)
    names = tuple(data.class_names) or tuple(map(str, range(classes)))
    return Confusion(names, tuple(map(tuple, counts.rows)))
