"""Labels that a network gives to unlabelled examples, for the training that goes on from it: pseudo-labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from samcli.data import Dataset
from samcli.errors import ConfigError
from samcli.tasks import Task
from samcli.train.evaluation import BATCH_SIZE


@dataclass(frozen=True, eq=False)
class OwnLabels:
    """Which training examples a network is sure of, and which classes it takes them for.

    Attributes:
        kept: the numbers of these examples in the training part, (K,) int64, rising.
        labels: their predicted classes, (K,) int64.
        accuracy: the share of these labels that are the true ones.
        share: that of the training part which is kept.
    """

    kept: Tensor
    labels: Tensor
    accuracy: float
    share: float

    @property
    def columns(self) -> dict[str, float]:
        """What `metrics.csv` has of them in each row."""
        return {"pseudo_label_accuracy": self.accuracy, "kept_share": self.share}

    def document(self) -> dict[str, Any]:
        """The content of a checkpoint on them, so that a run that goes on trains on the same."""
        return {"kept": self.kept, "labels": self.labels, "accuracy": self.accuracy, "share": self.share}

    @staticmethod
    def of(document: Any, data: Dataset) -> OwnLabels:
        """Those of a checkpoint, once they are seen to be labels of these data.

        Args:
            document: its content on them; from outside.
            data: with the labels of the data set.

        Raises:
            ValueError: they are not.
        """
        if not isinstance(document, Mapping):
            raise ValueError("it has no labels of its own")
        found: list[Any] = [document.get(key) for key in ("kept", "labels", "accuracy", "share")]
        kept, labels, accuracy, share = found
        if (
            not (_is_numbers(kept, below=len(data.train)) and _is_numbers(labels, below=data.task.classes or 0))
            or len(kept) != len(labels)
            or not bool((kept.diff() > 0).all())
            or not all(isinstance(one, float) and 0.0 <= one <= 1.0 for one in (accuracy, share))
        ):
            raise ValueError("its own labels are not of these data")
        return OwnLabels(kept.cpu(), labels.cpu(), accuracy, share)


def _is_numbers(value: Any, below: int) -> bool:
    """Whether this is a tensor of whole numbers from 0 to below a bound, at least one."""
    is_right = isinstance(value, Tensor) and value.dtype == torch.int64 and value.dim() == 1 and len(value) > 0
    return is_right and 0 <= int(value.min()) <= int(value.max()) < below


def own_labels(model: nn.Module, data: Dataset, drop: float) -> OwnLabels:
    """What a network predicts of the training examples, in evaluation mode, without those that it is least sure of.

    It is as sure of an example as the class that it predicts is probable to it; of examples of equal probability those
    with the lower numbers are kept. The labels of the data set enter `accuracy` alone. After Kumar, Ma and Liang,
    "Understanding Self-Training for Gradual Domain Adaptation", ICML 2020, section 5.

    >>> from pathlib import Path
    >>> from samcli.data import DATASETS, load
    >>> wine = load(DATASETS.create("wine"), seed=0, data_dir=Path(), device="cpu")
    >>> found = own_labels(nn.Linear(13, 3), wine, drop=0.25)
    >>> len(wine.train), len(found.kept), round(found.share, 2)
    (142, 106, 0.75)

    Args:
        model: from inputs to outputs; of the classes of `data`.
        data: whose training part is labelled.
        drop: the share of the examples that is left out, rounded to a whole number; at least one is kept.

    Raises:
        ConfigError: what is predicted are no classes, or the network's outputs are not finite.
    """
    check_classes(data.task)
    model.eval()
    sure, labels = [], []
    with torch.inference_mode():
        for inputs, _ in data.train.batches(data.train.at_once(BATCH_SIZE)):
            # in double precision fewer probabilities are equal
            output = model(inputs).cpu().double()
            sure.append(data.task.prediction(output).max(1).values)
            labels.append(data.task.predicted(output))
    probability, predicted = torch.cat(sure), torch.cat(labels)
    if not bool(torch.isfinite(probability).all()):
        raise ConfigError("labels: own: the network of the stage before predicts nothing finite; lower its lr or rho.")
    most = kept_of(len(probability), drop)
    kept = probability.argsort(descending=True, stable=True)[:most].sort().values.clone()
    chosen = predicted[kept].clone()
    hits = chosen == data.train.targets.cpu()[kept]
    return OwnLabels(kept, chosen, float(hits.double().mean()), most / len(probability))


def kept_of(examples: int, drop: float) -> int:
    """How many of so many examples are trained on: all but the share `drop`, and at least one.

    >>> kept_of(142, 0.25), kept_of(1, 0.9)
    (106, 1)
    """
    return max(1, examples - round(drop * examples))


def check_classes(task: Task) -> None:
    """Refuse labels of a network's own where no classes are predicted.

    Raises:
        ConfigError: it is a regression, or a text that is continued.
    """
    if task.classes is None:
        raise ConfigError(f"labels: own are predicted classes, and the {task.name} here has none; leave labels out.")


def check_same_classes(before: Mapping[str, Any], data: Mapping[str, Any]) -> None:
    """Refuse the labels of a network that was trained on other classes.

    Args:
        before: the document of the data set that it was trained on, see `samcli.data.Dataset.document`.
        data: that of what it would label.

    Raises:
        ConfigError: they are others.
    """
    if any(before[key] != data[key] for key in ("task", "class_names")):
        raise ConfigError(
            "labels: own needs a network of the same classes, and the stage before was trained on others; take data "
            "of these classes there, or leave labels out."
        )
