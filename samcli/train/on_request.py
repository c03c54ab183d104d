"""Scores on request (`evaluate.metrics`): computed on the host from all outputs for a part, off the training clock.

All but the calibration error are scikit-learn's. What is not defined on a part is None.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from samcli.calibration import calibration_error as of_confidence
from samcli.data import Dataset, Part
from samcli.errors import ConfigError
from samcli.metrics import scores_on_request
from samcli.tasks import Task
from samcli.train.evaluation import evaluate
from samcli.words import count

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_BYTES = 10**9  # of the outputs for a part


class Outputs:
    """The outputs of a model for a part, gathered batch by batch on the host in single precision.

    >>> from samcli.tasks import Classification
    >>> outputs = Outputs(Classification(2))
    >>> outputs(torch.tensor([[2.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 0]))
    >>> outputs.scores(["balanced-accuracy"])
    {'balanced_accuracy': 0.5}
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._found: list[tuple[Tensor, Tensor]] = []

    def __call__(self, output: Tensor, target: Tensor) -> None:
        """Add a batch."""
        self._found.append((output.float().cpu(), target.cpu()))

    def scores(self, metrics: Sequence[str]) -> dict[str, float | None]:
        """The scores of all that was added, by the names that columns have for them.

        Args:
            metrics: as `evaluate.metrics` names them, each of which suits the task.
        """
        outputs, targets = (torch.cat(parts) for parts in zip(*self._found, strict=True))
        known = scores_on_request()
        names = [known[metric].name for metric in metrics]
        if not bool(outputs.isfinite().all()):
            return dict.fromkeys(names)
        if self._task.classes is None:
            said, true = (self._task.prediction(values.double()) for values in (outputs, targets[:, None]))
            numbers = true.numpy(), said.numpy()
            return {name: OF_NUMBERS[name](*numbers) for name in names}
        given = (
            targets.numpy(),
            self._task.predicted(outputs).numpy(),
            self._task.prediction(outputs.double()).numpy(),
        )
        return {name: OF_CLASSES[name](*given) for name in names}


def balanced_accuracy(true: NDArray[Any], predicted: NDArray[Any], shares: NDArray[np.float64]) -> float:
    """The mean, over the classes that a part has, of the fraction of their examples that is predicted rightly.

    Args:
        true: class numbers, (N,).
        predicted: class numbers, (N,).
        shares: probabilities of the classes, (N, C).
    """
    import numpy as np
    from sklearn.metrics import recall_score

    return float(recall_score(true, predicted, labels=np.unique(true), average="macro"))


def macro_f1(true: NDArray[Any], predicted: NDArray[Any], shares: NDArray[np.float64]) -> float:
    """The mean of F1 over the classes that a part has or the model names; the arguments as for `balanced_accuracy`."""
    from sklearn.metrics import f1_score

    return float(f1_score(true, predicted, average="macro"))


def roc_auc(true: NDArray[Any], predicted: NDArray[Any], shares: NDArray[np.float64]) -> float | None:
    """The area under the ROC curve: of class 1 where there are two classes, else the mean of each one against the rest.

    None where the part lacks a class. The arguments are those of `balanced_accuracy`.
    """
    import numpy as np
    from sklearn.metrics import roc_auc_score

    classes = shares.shape[1]
    if len(np.unique(true)) < classes:
        return None
    if classes == 2:
        return float(roc_auc_score(true, shares[:, 1]))
    each = [roc_auc_score(true == c, shares[:, c]) for c in range(classes)]  # as multi_class="ovr" has it
    return float(np.mean(each))


def log_loss(true: NDArray[Any], predicted: NDArray[Any], shares: NDArray[np.float64]) -> float:
    """The mean of -log p of the true class in nats, where p is at least 2⁻⁵²; arguments as for `balanced_accuracy`."""
    from sklearn.metrics import log_loss as of_scikit_learn

    return float(of_scikit_learn(true, shares, labels=range(shares.shape[1])))


def calibration_error(true: NDArray[Any], predicted: NDArray[Any], shares: NDArray[np.float64]) -> float:
    """The expected calibration error, see `samcli.calibration`; the arguments are those of `balanced_accuracy`."""
    return of_confidence(shares.max(1), predicted == true)


def mae(true: NDArray[Any], said: NDArray[Any]) -> float:
    """The mean of |y - f|, in the unit of the targets."""
    from sklearn.metrics import mean_absolute_error

    return float(mean_absolute_error(true, said))


def rmse(true: NDArray[Any], said: NDArray[Any]) -> float:
    """The square root of the mean of (y - f)², in the unit of the targets."""
    from sklearn.metrics import root_mean_squared_error

    return float(root_mean_squared_error(true, said))


OF_CLASSES: dict[str, Callable[..., float | None]] = {
    kind.__name__: kind for kind in (balanced_accuracy, macro_f1, roc_auc, log_loss, calibration_error)
}
OF_NUMBERS: dict[str, Callable[..., float | None]] = {kind.__name__: kind for kind in (mae, rmse)}


def of_parts(metrics: Sequence[str]) -> list[str]:
    """Those of the scores that are of the validation and test part.

    >>> of_parts(["macro-f1", "wrong-labels"])
    ['macro-f1']
    """
    known = scores_on_request()
    return [metric for metric in metrics if known[metric].on_request != "noise"]


def scores_of_noise(metrics: Sequence[str], model: nn.Module, data: Dataset) -> dict[str, float | None]:
    """How the model knows the training labels that noise made wrong, and the others, by the names of their columns.

    Measured in evaluation mode on the training part without augmentation; None where there are no such labels, such as
    wrong ones without label noise.

    Args:
        metrics: as `evaluate.metrics` names them.
        model: from inputs to outputs.
        data: with the training part.
    """
    known = scores_on_request()
    wanted = [known[metric].name for metric in metrics if known[metric].on_request == "noise"]
    if not wanted:
        return {}
    hits: list[Tensor] = []
    evaluate(model, data.task, data.train, lambda output, target: hits.append(data.task.predicted(output) == target))
    right = torch.cat(hits).cpu()
    wrong = torch.zeros_like(right) if data.wrong_labels is None else data.wrong_labels.cpu()
    shares = {"wrong_labels": right[wrong], "right_labels": right[~wrong]}
    return {f"train_{name}": shares[name].double().mean().item() if len(shares[name]) else None for name in wanted}


def check_metrics(metrics: Sequence[str], data: Dataset) -> None:
    """Refuse scores that do not suit what is predicted, or parts whose outputs would not fit into memory.

    Raises:
        ConfigError: they do not.

    >>> from pathlib import Path
    >>> from samcli.data import DATASETS, load
    >>> check_metrics(["mae"], load(DATASETS.create("wine"), seed=0, data_dir=Path(), device="cpu"))
    Traceback (most recent call last):
    samcli.errors.ConfigError: evaluate.metrics: mae is a score of numbers, and these data have classes; leave it out \
or choose balanced-accuracy, macro-f1, roc-auc, log-loss, calibration-error.
    """
    known = scores_on_request()
    if data.task.classes is None and len(of_parts(metrics)) < len(metrics):
        raise ConfigError(
            "evaluate.metrics: label noise is of classes, and these data have none; leave its scores out."
        )
    metrics = of_parts(metrics)
    if metrics and data.task.target_dims > 1:
        raise ConfigError("evaluate.metrics: a language model has no scores besides its own; leave the metrics out.")
    kind = "numbers" if data.task.classes is None else "classes"
    for metric in metrics:
        if known[metric].on_request != kind:
            suited = ", ".join(name for name, score in known.items() if score.on_request == kind)
            raise ConfigError(
                f"evaluate.metrics: {metric} is a score of {known[metric].on_request}, and these data have {kind}; "
                f"leave it out or choose {suited}."
            )
    largest = max(len(part) for _, part in _parts(data))
    if metrics and largest * data.task.outputs * 4 > MOST_BYTES:
        raise ConfigError(
            f"evaluate.metrics: {count(largest, 'example')} with {count(data.task.outputs, 'output')} each take more "
            f"than {MOST_BYTES / 1e9:g} GB; leave the metrics out."
        )
    if metrics:
        importlib.import_module("sklearn.metrics")  # it takes seconds, which no epoch is to have


def undefined(metrics: Sequence[str], data: Dataset) -> Iterator[str]:
    """Sentences on the scores that will be empty, for want of examples of a class.

    >>> from pathlib import Path
    >>> from samcli.data import DATASETS, load
    >>> list(undefined(["roc-auc"], load(DATASETS.create("wine"), seed=0, data_dir=Path(), device="cpu")))
    []
    """
    if "roc-auc" not in metrics or data.task.classes is None:
        return
    for name, part in _parts(data):
        missing = int((part.targets.cpu().bincount(minlength=data.task.classes) == 0).sum())
        if missing:
            yield (
                f"{name}_roc_auc stays empty: the {name} part has no example of {missing} of the "
                f"{data.task.classes} classes, without which it is not defined."
            )


def _parts(data: Dataset) -> Iterator[tuple[str, Part]]:
    if data.validation is not None:
        yield "validation", data.validation
    yield "test", data.test
