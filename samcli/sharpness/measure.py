"""The entry to this library: measures of a model by their names."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import nn
from torch.optim import Optimizer

from samcli.errors import ConfigError, nearest
from samcli.examples import moved_to, pairs
from samcli.losses import Loss
from samcli.registry import check_options
from samcli.sharpness.base import MEASURES, Measure
from samcli.sharpness.batch_norm import normalising
from samcli.sharpness.problem import Batches, Problem
from samcli.sharpness.result import Result
from samcli.sharpness.stability import stability_of
from samcli.weights.state import untouched


def measure(
    model: nn.Module,
    loss: Loss,
    data: Batches,
    measures: str | Sequence[str] = ("one-step", "lambda-max"),
    *,
    seed: int = 0,
    batch_norm: str = "evaluation",
    optimizer: Optimizer | None = None,
    **parameters: Any,
) -> dict[str, Result]:
    """Measure the sharpness of a model in evaluation mode, and leave it as it was.

    Parameters, buffers, gradients, modes and the global random state come back bit for bit, also after an error. The
    measures share the loss and the gradient at the parameters.

    Args:
        model: its parameters with `requires_grad` are what is perturbed.
        loss: `loss(output, target)`, the mean over its batch.
        data: (input, target) batches of any sizes; every value is that of the mean loss over all examples together.
        measures: names from `MEASURES`; one, or several.
        seed: decides all random draws.
        batch_norm: what BatchNorm normalises by: "evaluation" is its running statistics, "recalibrated" these after
            they were estimated anew on the data, "batch" those of each batch; see `samcli.sharpness.batch_norm`.
        optimizer: the one that the model was trained with; `lambda-max-adam` needs its state, and `lambda-max` then
            records the edge of stability. It is only read.
        parameters: options of the measures, each given to all that have it: `rho`, the radius of the neighbourhood, or
            several of them; `eta` and `scale`, η and T of the adaptive measures; `m`, ...; see the fields of each.

    Returns:
        A result for each measure by its name; with several radii those that have one are named `one-step rho=0.1`.

    Raises:
        ConfigError: no measure of that name, a parameter that none of them has, no such BatchNorm mode.
        NotApplicable: a measure is not defined for this model, data or optimizer.
        ValueError: no examples, or no parameters that require a gradient.

    >>> import torch
    >>> model = torch.nn.Linear(2, 1, bias=False)
    >>> data = [(torch.eye(2), torch.zeros(2, 1))]
    >>> results = measure(model, torch.nn.functional.mse_loss, data, ["lambda-max"])
    >>> round(results["lambda-max"].value, 4)  # the Hessian of a mean square is 2 XᵀX / n
    1.0
    """
    measures = [measures] if isinstance(measures, str) else measures
    chosen = [(label, MEASURES.create(name, **settings)) for label, name, settings in labels(measures, parameters)]
    with measuring(model, loss, data, seed=seed, batch_norm=batch_norm, optimizer=optimizer) as problem:
        return {label: result_of(one, problem) for label, one in chosen}


def result_of(one: Measure, problem: Problem) -> Result:
    """What a measure finds, as a result that can be trusted: what is not finite has no value and has not converged.

    Where the weights are not finite nothing has a value, whatever a measure makes of them. `details` says why, as
    `reason`.

    >>> import torch
    >>> model = torch.nn.Linear(2, 1)
    >>> _ = torch.nn.init.constant_(model.bias, float("nan"))
    >>> problem = Problem(model, torch.nn.functional.mse_loss, [(torch.ones(4, 2), torch.ones(4, 1))], seed=0)
    >>> found = result_of(MEASURES.create("lambda-max"), problem)
    >>> found.value, found.converged, found.details["reason"]
    (nan, False, 'the weights are not finite (bias)')
    """
    found = one.of(problem)
    odd = [n for n, p in zip(problem.names, problem.parameters, strict=True) if not bool(torch.isfinite(p).all())]
    if not odd and math.isfinite(found.value):
        return found
    if odd:
        reason = f"the weights are not finite ({odd[0]}{', ...' if len(odd) > 1 else ''})"
    elif not math.isfinite(problem.loss_at()):
        reason = "the loss is not finite"
    else:
        reason = "it is not finite near the weights"
    return Result(math.nan, None, False, {**found.details, "reason": reason})


@contextmanager
def measuring(
    model: nn.Module,
    loss: Loss,
    data: Batches,
    *,
    seed: int = 0,
    batch_norm: str = "evaluation",
    optimizer: Optimizer | None = None,
) -> Iterator[Problem]:
    """The problem to measure, while the model is in the mode it is measured in.

    Arguments, errors, and what comes back afterwards are those of `measure`.

    >>> import torch
    >>> model, batch = torch.nn.Linear(2, 1), (torch.ones(4, 2), torch.ones(4, 1))
    >>> with measuring(model, torch.nn.functional.mse_loss, [batch]) as problem:
    ...     MEASURES.create("one-step", rho=0.0).of(problem).value
    0.0
    """
    # torch.compile's wrapper has no second derivative; the module inside shares the parameters
    inner = cast(nn.Module, getattr(model, "_orig_mod", model))
    stability = None if optimizer is None else stability_of(optimizer, inner)
    device = next((parameter.device for parameter in inner.parameters()), torch.device("cpu"))
    batches = [moved_to(batch, device) for batch in pairs(data)]
    with untouched(inner), normalising(inner, batch_norm, batches):
        yield Problem(inner, loss, batches, seed, batch_norm=batch_norm, stability=stability)


def labels(measures: Sequence[str], parameters: Mapping[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """The results that `measure` returns: the label, measure and parameters of each, radii in increasing order.

    Args:
        measures: names from `MEASURES`.
        parameters: as `measure` takes them; those that are left out get their defaults.

    Raises:
        ConfigError: no measure of that name, or a parameter that none of them has.

    >>> labels(["one-step"], {"rho": [0.1, 0.05]})
    [('one-step rho=0.05', 'one-step', {'rho': 0.05}), ('one-step rho=0.1', 'one-step', {'rho': 0.1})]
    """
    known = {key for name in measures for key in MEASURES.options(name)} | {"rho", "eta", "scale"}
    for key in parameters:
        if key not in known:
            raise ConfigError(f"None of the measures has a parameter {key!r}; {nearest(key, sorted(known))}")
    found = []
    for name in measures:
        options = MEASURES.options(name)
        settings = {key: parameters.get(key, o.default) for key, o in options.items()}
        radii = settings.get("rho")
        if isinstance(radii, Sequence) and not isinstance(radii, str):
            for rho in radii or [None]:
                check_options(options, {"rho": rho})
            several = len(radii) > 1
            for rho in sorted(set(radii)):
                one = {**settings, "rho": rho}
                if "after" in options:
                    one["after"] = tuple(smaller for smaller in sorted(set(radii)) if 0.0 < smaller < rho)
                found.append((f"{name} rho={rho:g}" if several else name, name, one))
        else:
            found.append((name, name, settings))
    return found
