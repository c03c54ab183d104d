"""The largest random noise that the parameters bear before the accuracy falls."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from samcli.double import in_double
from samcli.errors import NotApplicable
from samcli.registry import option
from samcli.sharpness.base import MEASURES, Measure, common_details
from samcli.sharpness.measures._errors import error_of_mean, in_quadrature
from samcli.sharpness.measures._noise import gaussian
from samcli.sharpness.measures._scales import Adaptive, scales_of
from samcli.sharpness.problem import Problem
from samcli.sharpness.result import Result

START = 0.05  # the first σ that is tried
SLOPE_STEP = 0.2  # relative distance to either side of σ over which the slope is taken


@MEASURES.register("pac-bayes-sigma")
@dataclass(frozen=True, kw_only=True)
class PacBayesSigma(Measure):
    """The largest σ at which the accuracy falls by 0.1 or less, on average over ε = σ z with z standard normal.

    The σ of the PAC-Bayes measures of Jiang et al. (ICLR 2020) and Dziugaite et al. (NeurIPS 2020); their flatness
    1/σ² is in `details`. A large σ is a flat region. Unlike theirs, the parameters are used as they are: BatchNorm is
    not folded into the layers before it, and its scale and shift are perturbed like all others. Only accuracy counts,
    so it is defined for classes, and it does not see how sure the network is.

    The same `draws` of z serve every σ, so the mean accuracy as a function of σ moves only as outputs cross. σ is
    doubled from 0.05 until the accuracy has fallen by more than `drop` (or halved until it has not), then bisected;
    the value is the middle of the `bracket`. It has converged if the bracket is narrower than `tolerance` times σ; if
    one end was never found, that end is None and the value is the other. Where the mean accuracy is not monotone this
    finds one of the crossings.

    The errors: that of the mean drop at σ, divided by the `slope` of the mean drop there. `probe_stderr` is from the
    spread over the draws, `example_stderr` from that over the examples, as if they were drawn from a larger set, and
    `stderr` joins both in quadrature; they are None where σ has not converged or the slope is not positive. The cost:
    1 + `draws` · (values of σ tried + 3) forward passes, about 130 with the defaults.

    Raises:
        NotApplicable: the outputs are not one score for each class, or the targets not class numbers.
    """

    drop: float = option(0.1, "the fall of the accuracy, as a fraction", above=0.0, below=1.0)
    draws: int = option(10, "independent draws of the noise", minimum=2)
    steps: int = option(15, "values of σ to try", minimum=1)
    tolerance: float = option(0.01, "largest relative width of the bracket that counts as converged", above=0.0)

    def of(self, problem: Problem) -> Result:
        outputs, targets = problem.outputs()
        _check(outputs, targets)
        right = _right(outputs, targets)
        scales = scales_of(problem, self._scaling())

        def lost(sigma: float) -> Tensor:
            """1 for each draw and example that was right and is no longer, -1 the other way round: (draws, n)."""
            generator = problem.generator("pac-bayes-sigma")
            noises = (gaussian(problem, generator, sigma, scales) for _ in range(self.draws))
            return torch.stack([right - _right(*problem.outputs(epsilon)) for epsilon in noises])

        details: dict[str, Any] = {
            **common_details(problem),
            "drop": self.drop,
            "draws": self.draws,
            "steps": self.steps,
            "tolerance": self.tolerance,
            **self._scaling(),
            "accuracy": float(right.mean()),
        }
        if not bool(torch.isfinite(outputs).all()):
            return Result(math.nan, converged=False, details={**details, "passes": 1})
        lower, upper, tried = bracket(lambda sigma: float(lost(sigma).mean()) <= self.drop, self.steps, self.tolerance)
        ends = [end for end in (lower, upper) if 0.0 < end < math.inf]
        sigma, converged = sum(ends) / len(ends), _narrow(lower, upper, self.tolerance)
        errors = _errors(lost, sigma) if converged else _errors_unknown()
        details |= {
            "flatness": sigma**-2,
            "bracket": [end if 0.0 < end < math.inf else None for end in (lower, upper)],
            **errors,
            "passes": 1 + self.draws * (tried + 3 * converged),
        }
        stderr = in_quadrature(errors["probe_stderr"], errors["example_stderr"])
        return Result(sigma, stderr, converged, details)

    def _scaling(self) -> dict[str, Any]:
        return {}


@MEASURES.register("pac-bayes-sigma-adaptive")
@dataclass(frozen=True, kw_only=True)
class AdaptivePacBayesSigma(Adaptive, PacBayesSigma):
    """The largest σ at which the accuracy falls by 0.1 or less, on average over ε = σ T z with T = |w|.

    As `pac-bayes-sigma`, with noise relative to each parameter, see `scale`: rescaling the layers of a ReLU network
    changes nothing. The magnitude-aware σ of the literature adds to σ²|w|² a constant variance of 10⁻⁶; T is that of
    the other adaptive measures here.
    """


def bracket(within: Callable[[float], bool], steps: int, tolerance: float) -> tuple[float, float, int]:
    """The ends of an interval in which `within` turns from true to false, and how many values were tried.

    An end that was not found is 0 or infinity.

    >>> bracket(lambda sigma: sigma <= 0.06, 15, 0.3)
    (0.05, 0.0625, 4)
    >>> bracket(lambda sigma: True, 3, 0.1)
    (0.2, inf, 3)
    """
    lower, upper, sigma, tried = 0.0, math.inf, START, 0
    while tried < steps and not _narrow(lower, upper, tolerance):
        lower, upper = (sigma, upper) if within(sigma) else (lower, sigma)
        tried += 1
        sigma = 2 * lower if upper == math.inf else upper / 2 if lower == 0.0 else (lower + upper) / 2
    return lower, upper, tried


def _narrow(lower: float, upper: float, tolerance: float) -> bool:
    return upper < math.inf and upper - lower <= tolerance * upper and lower > 0.0


def _errors(lost: Callable[[float], Tensor], sigma: float) -> dict[str, float | None]:
    """The errors of the σ at which the mean drop is the given one: to first order those of the drop over its slope."""
    above, below = (lost((1 + sign * SLOPE_STEP) * sigma).mean() for sign in (1, -1))
    slope = float(above - below) / (2 * SLOPE_STEP * sigma)
    if slope <= 0.0:
        return {**_errors_unknown(), "slope": slope}
    here = lost(sigma)
    errors = {"probe_stderr": error_of_mean(here.mean(1)), "example_stderr": error_of_mean(here.mean(0))}
    return {**{key: None if error is None else error / slope for key, error in errors.items()}, "slope": slope}


def _errors_unknown() -> dict[str, float | None]:
    return {"probe_stderr": None, "example_stderr": None, "slope": None}


def _right(outputs: Tensor, targets: Tensor) -> Tensor:
    """1 for each example whose largest output is that of its class, (n,); what is not finite is wrong."""
    return in_double((outputs.argmax(1) == targets) & torch.isfinite(outputs).all(1))


def _check(outputs: Tensor, targets: Tensor) -> None:
    numbers = not (targets.is_floating_point() or targets.is_complex() or targets.dtype == torch.bool)
    if not (outputs.dim() == 2 and outputs.shape[1] > 1 and targets.dim() == 1 and numbers):
        raise NotApplicable(
            "The PAC-Bayes measures count right answers: they need outputs of the shape (examples, classes) and class "
            "numbers as targets. Leave them out for other tasks."
        )
