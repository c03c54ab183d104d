"""The standard errors of what is averaged over draws or over examples."""

from __future__ import annotations

import math

from torch import Tensor

from samcli.sharpness.problem import Problem


def error_of_mean(values: Tensor) -> float | None:
    """The standard error of the mean of independent values, (n,); None of a single one, whose spread is unknown.

    >>> import torch
    >>> error_of_mean(torch.tensor([1.0, 3.0]))
    1.0
    """
    return float(values.double().std()) / math.sqrt(len(values)) if len(values) > 1 else None


def in_quadrature(*errors: float | None) -> float | None:
    """√(a² + b² + ...) of the errors that are known; None if none is.

    >>> in_quadrature(3.0, None, 4.0)
    5.0
    """
    known = [error for error in errors if error is not None]
    return math.hypot(*known) if known else None


def example_differences(problem: Problem, epsilon: list[Tensor]) -> tuple[Tensor, Tensor]:
    """The loss of each example at w, and what ε adds to it: each (n,) float64, for two forward passes.

    >>> from torch import nn, ones, tensor
    >>> model = nn.Linear(1, 1, bias=False)
    >>> nn.init.ones_(model.weight).item()
    1.0
    >>> problem = Problem(model, nn.functional.mse_loss, [(tensor([[1.0], [2.0]]), tensor([[0.0], [0.0]]))], seed=0)
    >>> losses, differences = example_differences(problem, [ones(1, 1)])  # (x w)² at w = 1, and at w = 2
    >>> losses.tolist(), differences.tolist()
    ([1.0, 4.0], [3.0, 12.0])
    """
    before = problem.cached("example_losses", problem.example_losses)
    return before, problem.example_losses(epsilon) - before
