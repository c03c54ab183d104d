"""Random perturbations of the parameters."""

from __future__ import annotations

import torch
from torch import Tensor

from samcli.sharpness.problem import Problem


def gaussian(problem: Problem, generator: torch.Generator, size: float, scales: list[Tensor] | None) -> list[Tensor]:
    """ε = size · T z, z standard normal in each coordinate.

    Args:
        problem: its parameters give the shapes.
        generator: on the CPU, for the same draws on every device.
        size: ρ or σ.
        scales: T, in the shapes of the parameters; None for T = 1.

    >>> model = torch.nn.Linear(1000, 1, bias=False)
    >>> problem = Problem(model, torch.nn.functional.mse_loss, [(torch.ones(1, 1000), torch.ones(1, 1))], seed=0)
    >>> (noise,) = gaussian(problem, problem.generator("example"), 0.01, None)
    >>> noise.shape, round(noise.std().item(), 3)
    (torch.Size([1, 1000]), 0.01)
    """
    return _sized(problem.normal(generator), size, scales)


def uniform(problem: Problem, generator: torch.Generator, size: float, scales: list[Tensor] | None) -> list[Tensor]:
    """ε = size · T u, u uniform between -1 and 1 in each coordinate; arguments as for `gaussian`.

    >>> model = torch.nn.Linear(1000, 1, bias=False)
    >>> problem = Problem(model, torch.nn.functional.mse_loss, [(torch.ones(1, 1000), torch.ones(1, 1))], seed=0)
    >>> (noise,) = uniform(problem, problem.generator("example"), 0.01, None)
    >>> 0.0099 < noise.abs().max().item() <= 0.01
    True
    """
    box = [torch.rand(p.shape, generator=generator, dtype=p.dtype).mul_(2.0).sub_(1.0) for p in problem.parameters]
    return _sized([u.to(p.device) for u, p in zip(box, problem.parameters, strict=True)], size, scales)


def _sized(noise: list[Tensor], size: float, scales: list[Tensor] | None) -> list[Tensor]:
    torch._foreach_mul_(noise, size)
    if scales is not None:
        torch._foreach_mul_(noise, scales)
    return noise
