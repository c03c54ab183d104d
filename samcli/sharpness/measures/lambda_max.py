"""The ends of the spectrum: the largest and the smallest eigenvalue."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from samcli.errors import NotApplicable
from samcli.registry import option
from samcli.sharpness.base import MEASURES, Measure, common_details
from samcli.sharpness.measures._curvature import (
    Curvature,
    adam_hessian,
    adaptive_hessian,
    cost,
    gauss_newton,
    hessian,
    krylov_space,
)
from samcli.sharpness.measures._scales import Adaptive
from samcli.sharpness.problem import Problem
from samcli.sharpness.result import Result
from samcli.sharpness.spectrum.lanczos import extreme_eigenvalue
from samcli.weights.geometry import global_norm


@dataclass(frozen=True, kw_only=True)
class Extreme(Measure):
    """The largest or the smallest eigenvalue of a symmetric operator, the Hessian unless another is named."""

    largest: ClassVar[bool] = True

    tolerance: float = option(1e-3, "largest relative error that counts as converged", above=0.0)
    max_iterations: int = option(100, "Hessian-vector products after which to give up", minimum=1)

    def of(self, problem: Problem) -> Result:
        found = extreme_eigenvalue(
            krylov_space(problem, self._curvature(problem)),
            largest=self.largest,
            tolerance=self.tolerance,
            max_iterations=self.max_iterations,
        )
        details = {
            **common_details(problem),
            **self._scaling(),
            **self._edge(problem, found.value),
            "residual": found.residual,
            "error": found.error,
            **cost(found.products),
            "tolerance": self.tolerance,
            "max_iterations": self.max_iterations,
        }
        return Result(found.value, converged=found.converged, details=details)

    def _curvature(self, problem: Problem) -> Curvature:
        return hessian(problem)

    def _scaling(self) -> dict[str, Any]:
        return {}

    def _edge(self, problem: Problem, value: float) -> dict[str, float]:
        return {}


@MEASURES.register("lambda-max")
@dataclass(frozen=True, kw_only=True)
class LambdaMax(Extreme):
    """λ_max(∇²L(w)): the largest curvature in any direction, with its sign, by the Lanczos method.

    `details` holds an estimate of the relative `error`, of second order in the `residual` ‖Hx - λx‖ / max |Ritz value|
    (see `spectrum.lanczos.extreme_eigenvalue`), the number of Hessian-vector `products` (about 8), and the
    `tolerance`. `converged` says that the error was within the tolerance after the last two steps. Both tell of an
    eigenvalue nearby, not that it is the largest: the method may rest on the next one for some steps if the random
    start vector has little of the first. The Krylov space is shared with the other measures of the same operator.

    Where the optimizer is known to be SGD, `details` also has its `edge_of_stability` (2/η, with momentum (2 + 2β)/η),
    the learning rate η of the last step, and `edge_ratio`, the value over the edge; see
    `samcli.sharpness.stability`. After a schedule that ends near zero the edge lies far above.

    There is no standard error: the error from measuring on a part of the data is larger than that of the method, and is
    seen by measuring on other examples (another seed of the command). Compare values on the same examples.
    """

    def _edge(self, problem: Problem, value: float) -> dict[str, float]:
        known = problem.stability
        return known.details(value) if known and known.preconditioner is None else {}


@MEASURES.register("edge-ratio")
@dataclass(frozen=True, kw_only=True)
class EdgeRatio(Extreme):
    """λ_max(∇²L(w)) over the optimizer's edge of stability: 1 where steps of the whole training set no longer settle.

    The edge is 2/η for gradient descent, with momentum (2 + 2β)/η, for Adam (2 + 2β₁)/((1 - β₁) η) of the eigenvalue
    that `lambda-max-adam` measures, and for SAM over gradient descent the lower
    ‖g‖/(2ρ) (√(1 + 8ρ/(η‖g‖)) - 1) of Long and Bartlett (JMLR 2024); see `samcli.sharpness.stability`. Trained with
    full batches, λ_max rises until it hovers about the edge (Cohen et al., ICLR 2021). λ_max and ‖g‖ are those of the
    examples measured on: take all that are trained on.

    The Krylov space is shared with `lambda-max`, and begun anew at each measurement. At the edge the largest
    eigenvalues lie within a percent of each other, and it takes 14 to 34 products (24 in the mean) to tell them apart;
    from the eigenvector of 50 steps before it would be 14 in the mean. In return a value depends on nothing but the
    weights, and a checkpoint gives it again. Some steps of power iteration fall short here, by up to 3 %.

    Raises:
        NotApplicable: the edge of the optimizer is not known.
    """

    def of(self, problem: Problem) -> Result:
        _, gradient = problem.loss_and_gradient
        norm = float(global_norm(gradient))
        edge = problem.stability.edge(norm) if problem.stability else None
        if edge is None:
            raise NotApplicable(
                "edge-ratio knows the edge of SGD, Adam and AdamW, and of SAM over SGD without momentum, in one step "
                "of the 2-norm for the whole batch; leave it out for what was trained otherwise."
            )
        found = super().of(problem)
        ratio = found.value / edge if edge else math.inf
        details = {**found.details, "lambda_max": found.value, "edge": edge, "grad_norm": norm}
        return Result(ratio, converged=found.converged and math.isfinite(ratio), details=details)

    def _curvature(self, problem: Problem) -> Curvature:
        adam = problem.stability is not None and problem.stability.preconditioner is not None
        return adam_hessian(problem) if adam else hessian(problem)


@MEASURES.register("lambda-min")
@dataclass(frozen=True, kw_only=True)
class LambdaMin(Extreme):
    """λ_min(∇²L(w)): the smallest curvature; below zero, the loss falls in some direction at second order.

    Method, parameters and `details` are those of `lambda-max`. The tolerance is relative to the largest |eigenvalue|:
    near a minimum, where λ_min is a small part of that, it is known less well than λ_max, and a value within
    `error` times λ_max of zero has no certain sign. It takes more products than `lambda-max`.
    """

    largest: ClassVar[bool] = False


@MEASURES.register("lambda-max-adaptive")
@dataclass(frozen=True, kw_only=True)
class AdaptiveLambdaMax(Adaptive, Extreme):
    """λ_max(T ∇²L(w) T) with T = |w|: the largest curvature relative to the size of each parameter.

    T is that of the other adaptive measures, see `scale`: rescaling the layers of a ReLU network
    changes nothing. Cost and `details` are those of `lambda-max`.
    """

    def _curvature(self, problem: Problem) -> Curvature:
        return adaptive_hessian(problem, self.eta, self.scale)


@MEASURES.register("lambda-max-adam")
@dataclass(frozen=True, kw_only=True)
class AdamLambdaMax(Extreme):
    """λ_max(P^-½ ∇²L(w) P^-½) with Adam's preconditioner P from the optimizer's own state.

    J. Cohen et al., "Adaptive Gradient Methods at the Edge of Stability" (2022): trained with full batches, it rises
    until it hovers about the edge (2 + 2β₁)/((1 - β₁) η), 38/η for β₁ = 0.9. P and what `details` has of the edge are
    described in `samcli.sharpness.stability`; the rest is as for `lambda-max`. Parameters without a state, which the
    optimizer has not moved, are left out.

    Raises:
        NotApplicable: the optimizer is not known, not Adam, or has made no step.
    """

    def _curvature(self, problem: Problem) -> Curvature:
        return adam_hessian(problem)

    def _edge(self, problem: Problem, value: float) -> dict[str, float]:
        return problem.stability.details(value) if problem.stability else {}


@MEASURES.register("gauss-newton-lambda-max")
@dataclass(frozen=True, kw_only=True)
class GaussNewtonLambdaMax(Extreme):
    """λ_max(G), G = Jᵀ (∂²ℓ/∂f²) J: the Hessian without the curvature of the network itself.

    J is the derivative of the outputs f by the parameters (Schraudolph, Neural Computation 2002). For cross-entropy G
    is the Fisher information, for the mean square it is 2 JᵀJ / n; for a loss convex in the outputs it has no negative
    eigenvalue. Where the network fits its data it is close to the Hessian. Cost and `details` are those of
    `lambda-max`.
    """

    def _curvature(self, problem: Problem) -> Curvature:
        return gauss_newton(problem)
