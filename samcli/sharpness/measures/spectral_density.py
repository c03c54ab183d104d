"""The distribution of the eigenvalues of the Hessian."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from samcli.registry import option
from samcli.sharpness.base import MEASURES, Measure, common_details
from samcli.sharpness.measures._curvature import cost, hessian, krylov_space, start_vector
from samcli.sharpness.problem import Problem
from samcli.sharpness.result import Result
from samcli.sharpness.spectrum.lanczos import Lanczos

# Points of the grid for one kernel width, and widths beyond the outermost nodes: the density integrates to 1 - 6e-7.
POINTS, TAIL = 3, 5
# The share of negative curvature from half the steps may differ by this much.
STEADY = 0.01


@MEASURES.register("spectral-density")
@dataclass(frozen=True, kw_only=True)
class SpectralDensity(Measure):
    """The density of the eigenvalues of ∇²L(w); the value is the share of negative curvature, Σ_{λ<0} |λ| / Σ |λ|.

    Stochastic Lanczos quadrature (Ubaru, Chen and Saad, SIMAX 2017; for networks: Ghorbani and others, ICML 2019): the
    Ritz values of a random start are nodes, the squares of the first coordinates of their vectors weights, and a
    normal kernel of `width` times the range of the nodes smooths them. `details` holds `nodes`, `weights`, `grid` and
    `density` (1 / eigenvalue, integrates to 1), the `mean` of the density, which is the trace divided by the number of
    parameters, its `mean_stderr`, and `below_zero`, the part of the density below zero. That part says little: most
    eigenvalues of a network are nearly zero, and rounding and kernel decide on which side. Hence the value, in which an
    eigenvalue counts by its size. A multiple eigenvalue and one that single directions miss have no node of their own:
    for single eigenvalues see `top-eigenvalues`.

    `stderr` is that of the random starts (`probe_stderr`), 2/((n + 2) starts) times the variance of the eigenvalues'
    contributions, as it is for starts drawn evenly from the sphere in n dimensions (too large where few eigenvalues
    decide the share); it does not include the choice of examples. `converged` says that half the steps give the same
    value within 0.01. `lanczos_steps` products for each start; the first start is shared with `lambda-max`. A space
    stores one vector of the size of the weights for each step.
    """

    lanczos_steps: int = option(80, "Hessian-vector products for each start, twice as many moments", minimum=2)
    starts: int = option(1, "random start vectors", minimum=1)
    width: float = option(0.01, "standard deviation of the kernel, as part of the range", minimum=1e-3)

    def of(self, problem: Problem) -> Result:
        full, half, products = [], [], 0
        for number in range(self.starts):
            space = krylov_space(problem, hessian(problem)) if number == 0 else self._further_space(problem, number)
            full.append(quadrature(space, self.lanczos_steps))
            half.append(quadrature(space, (self.lanczos_steps + 1) // 2))
            products += len(full[-1][0])
        nodes, weights = _pool(full)
        recorded = {
            **common_details(problem),
            "lanczos_steps": self.lanczos_steps,
            "starts": self.starts,
            "width": self.width,
            **cost(products),
        }
        if not bool(torch.isfinite(nodes).all()):
            return Result(math.nan, converged=False, details=recorded)
        value = negative_share(nodes, weights)
        change = abs(value - negative_share(*_pool(half)))
        stderr, mean_stderr = standard_errors(nodes, weights, 2.0 / ((problem.dimension + 2) * self.starts))
        grid, density, sigma = smooth(nodes, weights, self.width)
        details = {
            **recorded,
            "probe_stderr": stderr,
            "example_stderr": None,
            "half_steps_change": change,
            "mean": float(weights @ nodes),
            "mean_stderr": mean_stderr,
            "below_zero": float(weights @ torch.special.ndtr(-nodes / sigma)),
            "nodes": nodes.tolist(),
            "weights": weights.tolist(),
            "grid": grid.tolist(),
            "density": density.tolist(),
        }
        return Result(value, stderr, converged=change <= STEADY, details=details)

    def _further_space(self, problem: Problem, number: int) -> Lanczos:
        return Lanczos(problem.hessian_times, start_vector(problem, number))


def negative_share(nodes: Tensor, weights: Tensor) -> float:
    """Σ_{λ<0} |λ| / Σ |λ|, and 0 where there is no curvature.

    >>> round(negative_share(torch.tensor([-1.0, 0.0, 3.0]), torch.tensor([0.5, 0.25, 0.25])), 4)
    0.4
    """
    total = float(weights @ nodes.abs())
    return float(weights @ nodes.clamp(max=0.0).abs()) / total if total > 0.0 else 0.0


def standard_errors(nodes: Tensor, weights: Tensor, spread: float) -> tuple[float, float]:
    """Standard errors of the share of negative curvature and of the mean.

    For v drawn evenly from the sphere in n dimensions vᵀ f(A) v has the variance 2/(n + 2) times that of f over the
    eigenvalues, which nodes and weights estimate; the share is a ratio, taken as linear.

    Args:
        nodes: Ritz values.
        weights: of the nodes, with sum 1.
        spread: 2/(n + 2), divided by the number of starts.

    >>> nodes, weights = torch.tensor([-1.0, 1.0]), torch.tensor([0.5, 0.5])
    >>> share, mean = standard_errors(nodes, weights, 0.01)  # half the variance of ±1/2, and of ±1
    >>> round(share, 4), round(mean, 4)
    (0.05, 0.1)
    """
    value, mean, total = negative_share(nodes, weights), weights @ nodes, float(weights @ nodes.abs())
    parts = (nodes.clamp(max=0.0).abs() - value * nodes.abs()) / (total if total > 0.0 else 1.0)
    squares = (weights @ parts.square(), weights @ (nodes - mean).square())
    return math.sqrt(spread * float(squares[0])), math.sqrt(spread * float(squares[1]))


def smooth(nodes: Tensor, weights: Tensor, width: float) -> tuple[Tensor, Tensor, float]:
    """Nodes under a normal kernel: a grid, the density on it, and the kernel's standard deviation.

    >>> grid, density, sigma = smooth(torch.tensor([-1.0, 1.0]), torch.tensor([0.5, 0.5]), 0.05)
    >>> sigma, round(float(torch.trapezoid(density, grid)), 4)
    (0.1, 1.0)
    """
    low, high = float(nodes.min()), float(nodes.max())
    sigma = width * ((high - low) or abs(high) or 1.0)
    low, high = low - TAIL * sigma, high + TAIL * sigma
    grid = torch.linspace(low, high, math.ceil(POINTS * (high - low) / sigma) + 1, dtype=nodes.dtype)
    kernels = torch.exp(-0.5 * ((grid[:, None] - nodes) / sigma).square()) / (sigma * math.sqrt(2 * math.pi))
    return grid, kernels @ weights, sigma


def quadrature(space: Lanczos, steps: int) -> tuple[Tensor, Tensor]:
    """The nodes and weights, (steps,) each, of Gauss quadrature by the first steps of a Krylov space.

    >>> space = Lanczos(lambda v: torch.tensor([1.0, 4.0]) * v, torch.tensor([3.0, 4.0]))
    >>> nodes, weights = quadrature(space, 2)  # the eigenvalues, and the squares of the start's unit coordinates
    >>> nodes.round(decimals=4).tolist(), weights.round(decimals=4).tolist()
    ([1.0, 4.0], [0.36, 0.64])
    """
    ritz = space.ritz(steps)
    return ritz.values, ritz.coordinates[0].square()


def _pool(rules: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    nodes, weights = (torch.cat(column) for column in zip(*rules, strict=True))
    return nodes, weights / len(rules)
