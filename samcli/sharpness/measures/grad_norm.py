"""The norm of the gradient."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from samcli.sharpness.base import MEASURES, Measure, common_details
from samcli.sharpness.measures._ball import Ball
from samcli.sharpness.measures._scales import Adaptive, scales_of
from samcli.sharpness.problem import Problem
from samcli.sharpness.result import Result
from samcli.weights.geometry import global_norm


@MEASURES.register("grad-norm")
@dataclass(frozen=True, kw_only=True)
class GradientNorm(Measure):
    """‖∇L(w)‖₂: times ρ it is what SAM's first-order view takes for the sharpness."""

    def of(self, problem: Problem) -> Result:
        loss, gradient = problem.loss_and_gradient
        return _result(gradient, {**common_details(problem), "loss": loss})


@MEASURES.register("grad-norm-adaptive")
@dataclass(frozen=True, kw_only=True)
class AdaptiveGradientNorm(Adaptive):
    """‖T ∇L(w)‖₂ with T = |w|, see `scale`.

    Times ρ it is the adaptive sharpness to first order (Kwon et al., ICML 2021). Rescaling the layers of a ReLU network
    changes nothing. It costs nothing beside the gradient, which the measures share.
    """

    def of(self, problem: Problem) -> Result:
        loss, gradient = problem.loss_and_gradient
        scaled = Ball(1.0, scales=scales_of(problem, self._scaling())).scaled(gradient)
        return _result(scaled, {**common_details(problem), **self._scaling(), "loss": loss})


def _result(vector: Sequence[Tensor], details: dict[str, Any]) -> Result:
    norm = float(global_norm(vector))
    finite = math.isfinite(norm)
    return Result(norm if finite else math.nan, converged=finite, details=details)
