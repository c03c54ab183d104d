"""The norm of the gradient."""

from __future__ import annotations

import math
from dataclasses import dataclass

from samcli.optim.geometry import global_norm
from samcli.sharpness.base import MEASURES, Measure, circumstances
from samcli.sharpness.problem import Problem
from samcli.sharpness.result import Result


@MEASURES.register("grad-norm")
@dataclass(frozen=True, kw_only=True)
class GradientNorm(Measure):
    """‖∇L(w)‖₂: times ρ it is what SAM's first-order view takes for the sharpness."""

    def of(self, problem: Problem) -> Result:
        loss, gradient = problem.loss_and_gradient
        norm, details = float(global_norm(gradient)), {**circumstances(problem), "loss": loss}
        finite = math.isfinite(norm)
        return Result(norm if finite else math.nan, converged=finite, details=details)
