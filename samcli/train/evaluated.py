"""What a row of metrics has of the parts that are evaluated."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from samcli.data import Dataset
from samcli.runs import EpochMetrics
from samcli.train.evaluation import evaluate
from samcli.train.on_request import Outputs, of_parts, scores_of_noise

See = Callable[[Tensor, Tensor], None]


def evaluate_parts(
    model: nn.Module,
    data: Dataset,
    metrics: Sequence[str] = (),
    watcher: Callable[[str], See | None] = lambda part: None,
) -> EpochMetrics:
    """The losses and scores of the validation and the test part, and what is asked for of the training part.

    They are the cells of a row, None for a part that is not there.

    >>> from pathlib import Path
    >>> from samcli.data import DATASETS, load
    >>> wine = load(DATASETS.create("wine"), seed=0, data_dir=Path(), device="cpu")
    >>> found = evaluate_parts(nn.Linear(13, 3), wine, ["macro-f1"])
    >>> list(found)
    ['validation_loss', 'validation_accuracy', 'test_loss', 'test_accuracy', 'test_macro_f1']
    >>> found["validation_loss"]

    Args:
        model: from inputs to outputs.
        data: the data set.
        metrics: names of further scores, see `samcli.metrics.scores_on_request`.
        watcher: of the name of a part, what else is given the outputs and targets of its batches.
    """
    found: EpochMetrics = {}
    asked = of_parts(metrics)
    for name, part in (("validation", data.validation), ("test", data.test)):
        outputs = Outputs(data.task) if asked else None
        seeing = [see for see in (outputs, watcher(name)) if see is not None]
        loss, score = (None, None) if part is None else evaluate(model, data.task, part, _each_of(seeing))
        found |= {f"{name}_loss": loss, f"{name}_{data.task.metric}": score}
        if outputs and part is not None:
            found |= {f"{name}_{score}": value for score, value in outputs.scores(asked).items()}
    return found | scores_of_noise(metrics, model, data)


def _each_of(seeing: Sequence[See]) -> See | None:
    def see(output: Tensor, target: Tensor) -> None:
        for one in seeing:
            one(output, target)

    return see if seeing else None
