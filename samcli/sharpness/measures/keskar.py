"""The sharpness of Keskar et al.: the largest loss in a box, relative to the loss."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from samcli.registry import option
from samcli.sharpness.base import MEASURES, Measure, common_details
from samcli.sharpness.measures._ascent import climb
from samcli.sharpness.measures._ball import Ball
from samcli.sharpness.measures._errors import error_of_mean, example_differences
from samcli.sharpness.problem import Problem
from samcli.sharpness.result import Result


@MEASURES.register("keskar")
@dataclass(frozen=True, kw_only=True)
class Keskar(Measure):
    """100 (max L(w + ε) - L(w)) / (1 + L(w)) over the box |ε_i| ≤ e (|w_i| + 1).

    N. S. Keskar, D. Mudigere, J. Nocedal, M. Smelyanskiy, P. T. P. Tang, "On Large-Batch Training for Deep Learning:
    Generalization Gap and Sharp Minima" (ICLR 2017), metric 2.1 in the full space; theirs is e = 1e-3 or 5e-4. They
    maximise by ten iterations of L-BFGS-B; here it is the ascent of `worst-case`, and as there the value is a lower
    bound, at least 0. All parameters move, biases too. Rescaling the layers of a ReLU network changes the value, since
    the box has a part that does not shrink with the weights.

    `stderr` (and `example_stderr`) is the error from the choice of examples, by linearising the ratio at the ε that was
    found, taken as given. `converged` and `passes` are those of `worst-case`.
    """

    epsilon: float = option(1e-3, "e, the size of the box relative to |w| + 1", minimum=0.0)
    steps: int = option(20, "gradient steps of each ascent", minimum=1)
    restarts: int = option(1, "ascents; the first from the parameters, the others from random points", minimum=1)

    def of(self, problem: Problem) -> Result:
        scales = [parameter.detach().abs() + 1.0 for parameter in problem.parameters]
        ball = Ball(self.epsilon, math.inf, scales)
        generator = problem.generator("keskar")
        found = climb(problem, ball, steps=self.steps, restarts=self.restarts, generator=generator)
        loss = problem.loss_and_gradient[0]
        details = {
            **common_details(problem),
            "epsilon": self.epsilon,
            "steps": self.steps,
            "restarts": self.restarts,
            "loss": loss,
            "passes": found.passes,
        }
        if math.isnan(found.gain) or loss <= -1.0:  # the ratio has no meaning there
            return Result(math.nan, converged=False, details=details)
        value = 100.0 * found.gain / (1.0 + loss)
        before, difference = example_differences(problem, ball.scaled(found.position))
        stderr = _ratio_error(difference, before, loss, value)
        details |= {"passes": found.passes + 2, "example_stderr": stderr}
        details["perturbation_norm"] = ball.length(found.position)
        return Result(value, stderr, found.settled, details)


def _ratio_error(difference: torch.Tensor, before: torch.Tensor, loss: float, value: float) -> float | None:
    """The error of 100 D/(1 + L): an example moves D by its difference and L by its loss."""
    return error_of_mean((100.0 * difference - value * before) / (1.0 + loss))
