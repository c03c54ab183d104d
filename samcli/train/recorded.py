"""The measures of sharpness that a run records while it trains."""

from __future__ import annotations

from torch import nn
from torch.optim import Optimizer

from samcli.config.schema import Sharpness
from samcli.data import Part
from samcli.losses import Loss
from samcli.sharpness import Result, measure

BATCH_SIZE = 1000
FROM_ONE_GRADIENT = ("one-step", "grad-norm")  # measured together; the radius is for these alone


def record(
    model: nn.Module, loss: Loss, part: Part, settings: Sharpness, optimizer: Optimizer | None = None
) -> dict[str, float | None]:
    """The cells of the chosen measures in a row of `metrics.csv`; the model is left as it was.

    `sharpness.rho` is the radius of `one-step`; all other parameters are the measures' defaults. Random directions are
    the same after every epoch and in every run.

    >>> import torch
    >>> from samcli.data.normalise import Normalisation
    >>> inputs, targets = torch.eye(4), torch.tensor([0, 1, 0, 1])
    >>> part = Part(inputs, targets, Normalisation(inputs, torch.device("cpu")))
    >>> list(record(nn.Linear(4, 2), nn.functional.cross_entropy, part, Sharpness(rho=0.1)))
    ['sharpness', 'grad_norm']

    Args:
        model: the run's model.
        loss: the mean over a batch, without label smoothing.
        part: the examples to measure on.
        settings: which measures, and the radius of `one-step`.
        optimizer: the run's optimizer, for the measures that look at its state.

    Returns:
        The value of each measure by its column, and where it has one its standard error; None for what has not
        converged.
    """
    batches = list(part.batches(part.at_once(BATCH_SIZE)))
    from_one_gradient = [name for name in settings.measures if name in FROM_ONE_GRADIENT]
    others = [name for name in settings.measures if name not in FROM_ONE_GRADIENT]
    found = measure(model, loss, batches, from_one_gradient, rho=settings.rho)
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
