"""The measures of sharpness that a run records while it trains."""

from __future__ import annotations

from torch import nn
from torch.optim import Optimizer

from samcli.config.schema import Sharpness
from samcli.data import Part
from samcli.sharpness import Result, measure
from samcli.sharpness.problem import Loss

BATCH = 1000
QUICK = ("one-step", "grad-norm")  # both from one gradient, and the radius is not for the others


def record(
    model: nn.Module, loss: Loss, part: Part, settings: Sharpness, optimizer: Optimizer | None = None
) -> dict[str, float | None]:
    """What a row of `metrics.csv` holds of the chosen measures; the model is left as it was.

    `sharpness.rho` is the radius of `one-step`; all other parameters are the measures' defaults. What is drawn is drawn
    alike after every epoch and in every run.

    Args:
        model: of the run.
        loss: the mean over a batch, without label smoothing.
        part: the examples to measure on.
        settings: of the run.
        optimizer: of the run, for the measures that look at its state.

    Returns:
        The value of each measure by its column, and where it has one its standard error; None for what has not
        converged.
    """
    batches = list(part.batches(BATCH))
    quick = [name for name in settings.measures if name in QUICK]
    others = [name for name in settings.measures if name not in QUICK]
    found = measure(model, loss, batches, quick, rho=settings.rho)
    if others:
        found |= measure(model, loss, batches, others, optimizer=optimizer)
    row: dict[str, float | None] = {}
    for name in settings.measures:
        row |= _cells(column(name), found[name])
    return row


def column(measure: str) -> str:
    """The column of `metrics.csv` for a measure.

    >>> column("one-step"), column("lambda-max")
    ('sharpness', 'lambda_max')
    """
    return "sharpness" if measure == "one-step" else measure.replace("-", "_")


def _cells(name: str, result: Result) -> dict[str, float | None]:
    value, stderr = (result.value, result.stderr) if result.converged else (None, None)
    return {name: value} if result.stderr is None else {name: value, f"{name}_stderr": stderr}
