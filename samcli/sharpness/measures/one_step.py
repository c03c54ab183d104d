"""One-step sharpness: what one step of ascent to the border of the neighbourhood adds to the loss."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from samcli.registry import option
from samcli.sharpness.base import MEASURES, Measure, common_details
from samcli.sharpness.measures._scales import Adaptive, scales_of
from samcli.sharpness.problem import Problem
from samcli.sharpness.result import Result
from samcli.weights.geometry import global_norm, steepest_ascent


@MEASURES.register("one-step")
@dataclass(frozen=True, kw_only=True)
class OneStep(Measure):
    """L(w + ε) - L(w), ε = ρ g/‖g‖: SAM's first-order guess at the worst point of the ball, with the l2 norm.

    A lower bound of the sharpness of Foret et al. (ICLR 2021), max over ‖ε‖ ≤ ρ of L(w + ε) - L(w); near a minimum it
    can fall short of it by a large factor.
    """

    norm: ClassVar[float] = 2.0
    adaptive: ClassVar[bool] = False

    rho: float = option(0.05, "radius ρ of the neighbourhood", minimum=0.0)

    def of(self, problem: Problem) -> Result:
        loss, gradient = problem.loss_and_gradient
        details = {**common_details(problem), "rho": self.rho, "norm": self.norm, "loss": loss, **self._scaling()}
        if not (math.isfinite(loss) and bool(torch.isfinite(global_norm(gradient)))):
            return Result(math.nan, converged=False, details=details)
        scales = scales_of(problem, self._scaling())
        value = problem.loss_at(steepest_ascent(gradient, self.rho, self.norm, scales)) - loss
        finite = math.isfinite(value)
        return Result(value if finite else math.nan, converged=finite, details=details)

    def _scaling(self) -> dict[str, Any]:
        return {}


@MEASURES.register("one-step-linf")
@dataclass(frozen=True, kw_only=True)
class OneStepBox(OneStep):
    """L(w + ε) - L(w), ε = ρ sign g: one step to a corner of the box, the l∞ norm."""

    norm: ClassVar[float] = math.inf


@MEASURES.register("one-step-adaptive")
@dataclass(frozen=True, kw_only=True)
class AdaptiveOneStep(Adaptive, OneStep):
    """L(w + ε) - L(w), ε = ρ T²g/‖Tg‖ with T = |w|, see `scale`, in the l2 norm.

    Kwon et al., ICML 2021, eq. 9. Rescaling the layers of a ReLU network changes nothing.
    """


@MEASURES.register("one-step-adaptive-linf")
@dataclass(frozen=True, kw_only=True)
class AdaptiveOneStepBox(AdaptiveOneStep):
    """L(w + ε) - L(w), ε = ρ T sign g with T = |w|, see `scale`, in the l∞ norm."""

    norm: ClassVar[float] = math.inf
