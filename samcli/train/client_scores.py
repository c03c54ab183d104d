"""What is recorded of rounds of clients beside the scores of every run: see the columns of `samcli.metrics`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev

import torch
from torch import Tensor

from samcli.runs import EpochMetrics
from samcli.tasks import Task


class ClassHits:
    """How many examples of each class a part has, and how many of them are predicted rightly; added batch by batch.

    >>> from samcli.tasks import Classification
    >>> hits = ClassHits(Classification(2))
    >>> hits(torch.tensor([[2.0, 0.0], [2.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 1, 1]))
    >>> hits.accuracies()
    tensor([1.0000, 0.5000], dtype=torch.float64)
    """

    def __init__(self, task: Task) -> None:
        assert task.classes is not None
        self._task, self._classes = task, task.classes
        self._examples = torch.zeros(task.classes, dtype=torch.float64)
        self._hits = torch.zeros(task.classes, dtype=torch.float64)

    def __call__(self, output: Tensor, target: Tensor) -> None:
        """Add a batch."""
        right = self._task.predicted(output) == target
        self._examples += target.bincount(minlength=self._classes).cpu()
        self._hits += target[right].bincount(minlength=self._classes).cpu()

    def accuracies(self) -> Tensor:
        """The accuracy on each class, (classes,) float64; not a number for one without examples."""
        return self._hits / self._examples


def worst_tenth(accuracies: Tensor, shares: Tensor) -> float | None:
    """The accuracy on new examples of a client, the mean over the tenth of the clients where it is lowest.

    A client k is to meet the class c with its own share p_kc, so that its accuracy is Σ p_kc a_c with the accuracy a_c
    on the examples of that class that nobody trained on. A class that these lack is left out of its shares. The tenth
    has at least one client. None where no client can be judged.

    Args:
        accuracies: on each class, (classes,); not a number where there is no example.
        shares: of the classes among each client's examples, (clients, classes).

    >>> worst_tenth(torch.tensor([0.9, 0.5]), torch.tensor([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]))
    0.5
    """
    known = ~accuracies.isnan()
    weights = shares[:, known].double()
    weights = weights[weights.sum(1) > 0.0]
    if not len(weights):
        return None
    each = (weights @ accuracies[known].double()) / weights.sum(1)
    return float(each.sort().values[: max(1, math.ceil(len(each) / 10))].mean())


def recent(rows: Sequence[EpochMetrics], column: str, latest: float, rounds: int) -> tuple[float, float | None]:
    """The mean and the standard deviation of a column over the last rounds, of those that were evaluated.

    Args:
        rows: of the rounds before.
        column: the name of the column.
        latest: its value after the latest round.
        rounds: over how many it goes, the latest among them.

    Returns:
        The mean; and the standard deviation (n - 1), None of a single value.

    >>> recent([{"a": 9.0}, {"a": 1.0}, {"a": None}], "a", 3.0, rounds=3)
    (2.0, 1.4142135623730951)
    """
    before = (row.get(column) for row in rows[max(0, len(rows) - rounds + 1) :])
    values = [*(value for value in before if value is not None), latest]
    return fmean(values), stdev(values) if len(values) > 1 else None
