"""The trace of the curvature, and its Frobenius norm."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from samcli.registry import option
from samcli.sharpness.base import MEASURES, Measure, common_details
from samcli.sharpness.measures._curvature import Curvature, adaptive_hessian, cost, gauss_newton, hessian, krylov_space
from samcli.sharpness.measures._scales import Adaptive
from samcli.sharpness.problem import Problem
from samcli.sharpness.result import Result
from samcli.sharpness.spectrum.probes import Mean, Probes

METHODS = ("hutch++", "hutchinson")
LARGEST_SPACE = 40  # dimensions, each of which is a copy of the weights in memory


@MEASURES.register("trace")
@dataclass(frozen=True, kw_only=True)
class Trace(Measure):
    """tr ∇²L(w): the sum of all curvatures, and for small σ the average of 2 (L(w + σz) - L(w)) / σ² over normal z.

    By random probes zᵀHz (Hutchinson, 1989), after the largest part was taken out exactly: for `method` hutch++ the
    trace on a Krylov space of max_products/3 dimensions, 40 at most, which `lambda-max` shares, and probes on its
    complement (Meyer and others, SOSA 2021; with a Krylov space: Chen and Hallman, SIMAX 2023); for hutchinson probes
    alone. Memory does not grow with the probes, only with that space. Probes are taken until the standard error is
    within `stderr_below` of the estimate, at least 10; `converged` says whether it is.

    `stderr` is that of the probes (`details["probe_stderr"]`), from the spread among them. It does not include the
    error from measuring on a part of the data, which is seen by measuring on other examples. Up to max_products
    products. Kinks of ReLU networks have no second derivative and are left out, so the average above exceeds the trace.
    """

    method: str = option("hutch++", "probes on what a Krylov space leaves, or probes alone", choices=METHODS)
    max_products: int = option(60, "most products to spend", minimum=6)
    stderr_below: float = option(0.05, "relative standard error that counts as converged", above=0.0)

    def of(self, problem: Problem) -> Result:
        curvature = self._curvature(problem)
        rank = self._rank(problem.dimension)
        probes: Probes = problem.cached(
            f"probes {curvature.name} {rank}",
            lambda: Probes(krylov_space(problem, curvature), rank, problem.generator("probes")),
        )
        found = self._estimate(probes, self.max_products - probes.rank)
        finite = math.isfinite(found.value)
        stderr = found.stderr if finite else None
        details = {
            **common_details(problem),
            **self._scaling(),
            "method": self.method,
            "probe_stderr": stderr,
            "example_stderr": None,
            "rank": probes.rank,
            "probes": found.probes,
            **cost(probes.rank + found.probes),
            "max_products": self.max_products,
            "stderr_below": self.stderr_below,
        }
        value = found.value if finite else math.nan
        return Result(value, stderr, converged=finite and self._enough(found), details=details)

    def _rank(self, dimension: int) -> int:
        if self.method != "hutch++":
            return 0
        affordable = self.max_products // 3
        return affordable if affordable >= dimension else min(affordable, LARGEST_SPACE)

    def _estimate(self, probes: Probes, most: int) -> Mean:
        return probes.mean(lambda probe: probe.form, self._enough, most)

    def _enough(self, mean: Mean) -> bool:
        return mean.stderr is not None and mean.stderr <= self.stderr_below * abs(mean.value)

    def _curvature(self, problem: Problem) -> Curvature:
        return hessian(problem)

    def _scaling(self) -> dict[str, Any]:
        return {}


@MEASURES.register("trace-adaptive")
@dataclass(frozen=True, kw_only=True)
class AdaptiveTrace(Adaptive, Trace):
    """tr(T ∇²L(w) T) with T = |w|: the sum of all curvatures relative to the size of each parameter.

    T is that of the other adaptive measures, see `scale`: rescaling the layers of a ReLU network
    changes nothing. Method, cost and `details` are those of `trace`.
    """

    def _curvature(self, problem: Problem) -> Curvature:
        return adaptive_hessian(problem, self.eta, self.scale)


@MEASURES.register("gauss-newton-trace")
@dataclass(frozen=True, kw_only=True)
class GaussNewtonTrace(Trace):
    """tr G, G = Jᵀ (∂²ℓ/∂f²) J: the trace without the curvature of the network itself.

    J is the derivative of the outputs f by the parameters (Schraudolph, Neural Computation 2002). For cross-entropy it
    is the trace of the Fisher information: the mean of ‖∇ log p(y | x)‖² over labels y that the network itself draws.
    For a network that is piecewise linear in each of its parameters, as with ReLU and BatchNorm in evaluation mode, it
    equals tr ∇²L(w) exactly. Method, cost and `details` are those of `trace`.
    """

    def _curvature(self, problem: Problem) -> Curvature:
        return gauss_newton(problem)


@MEASURES.register("frobenius")
@dataclass(frozen=True, kw_only=True)
class Frobenius(Trace):
    """‖∇²L(w)‖_F = (Σ λ²)^½: the size of the curvature with all directions counted, whatever its sign.

    The square is estimated by E ‖Hz‖² over the probes z of `trace`, whose products it shares, and the part of the
    Krylov space exactly; the standard error of the root is that of the square divided by 2 ‖H‖_F (delta method). The
    root of an unbiased estimate is biased downwards by less than that error. Method, cost and `details` are those of
    `trace`.
    """

    def _estimate(self, probes: Probes, most: int) -> Mean:
        return _root(probes.mean(lambda probe: probe.square, lambda mean: self._enough(_root(mean)), most))


def _root(square: Mean) -> Mean:
    value = math.sqrt(square.value) if square.value >= 0.0 else math.nan
    stderr = None if square.stderr is None else square.stderr / (2 * value) if value > 0.0 else square.stderr
    return Mean(value, stderr, square.probes)
