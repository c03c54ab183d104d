"""Random perturbations of the parameters, and the standard errors of what is averaged over them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from samcli.sharpness.problem import Problem
from samcli.weights.geometry import element_scales
from samcli.weights.names import is_weight


def scales_of(problem: Problem, eta: float | None) -> list[Tensor] | None:
    """ASAM's T, |w| + η for weights and 1 for biases; None, which stands for T = 1, without an η."""
    return None if eta is None else asam_scales(problem, eta)


def asam_scales(problem: Problem, eta: float) -> list[Tensor]:
    """ASAM's T, |w| + η for weights and 1 for biases, in the shapes of the parameters."""
    weights = [parameter.detach() for parameter in problem.parameters]
    return element_scales(weights, map(is_weight, problem.names), eta)


def gaussian(problem: Problem, generator: torch.Generator, size: float, scales: list[Tensor] | None) -> list[Tensor]:
    """ε = size · T z, z standard normal in each coordinate."""
    return _sized(problem.normal(generator), size, scales)


def uniform(problem: Problem, generator: torch.Generator, size: float, scales: list[Tensor] | None) -> list[Tensor]:
    """ε = size · T u, u uniform between -1 and 1 in each coordinate."""
    box = [torch.rand(p.shape, generator=generator, dtype=p.dtype).mul_(2.0).sub_(1.0) for p in problem.parameters]
    return _sized([u.to(p.device) for u, p in zip(box, problem.parameters, strict=True)], size, scales)


def _sized(noise: list[Tensor], size: float, scales: list[Tensor] | None) -> list[Tensor]:
    torch._foreach_mul_(noise, size)
    if scales is not None:
        torch._foreach_mul_(noise, scales)
    return noise


def error_of_mean(values: Tensor) -> float | None:
    """The standard error of the mean of independent values, (n,); None of a single one, whose spread is unknown.

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
    """The loss of each example at w, and what ε adds to it: each (n,) float64, for two forward passes."""
    before = problem.cached("example_losses", problem.example_losses)
    return before, problem.example_losses(epsilon) - before
