"""Worst-case sharpness: the largest loss in the neighbourhood, as far as an ascent finds it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch

from samcli.errors import ConfigError
from samcli.registry import option
from samcli.sharpness.base import MEASURES, Measure, common_details
from samcli.sharpness.measures._ascent import BestPoint, climb, settled
from samcli.sharpness.measures._ball import Ball
from samcli.sharpness.measures._errors import error_of_mean, example_differences
from samcli.sharpness.measures._logits import with_normalised_logits
from samcli.sharpness.measures._scales import Adaptive, scales_of
from samcli.sharpness.problem import Problem
from samcli.sharpness.result import Result


@MEASURES.register("worst-case")
@dataclass(frozen=True, kw_only=True)
class WorstCase(Measure):
    """max over ‖ε‖₂ ≤ ρ of L(w + ε) - L(w), from below, by projected gradient ascent.

    The sharpness of Foret et al. (ICLR 2021), measured as Andriushchenko et al. (ICML 2023) do, with APGD's step
    sizes; see `measures/_ascent.py`. Departures from their public code: a cut of the step goes back to the best
    point, and the adaptive measures climb and project in the coordinates T⁻¹ε, which leaves zero weights at zero and
    makes every iterate invariant under the rescaling of layers.

    The value is that of a point inside the ball that was really evaluated: at least 0, at least `one-step` at the same
    ρ, and below the true maximum by an unknown amount, which more steps and restarts make smaller. Smaller radii in
    `after` are climbed first, and each ascent also starts from the best point of the radius before, so that values do
    not decrease from one radius to the next; with `m` only the values are carried over. Several radii in one call are
    measured so, each `after` all smaller ones: a value is a function of its parameters, whatever else is measured.

    With `m` the examples are cut, in their order, into sets of m. Each set has an ε of its own, and the value is the
    mean of the sets' maxima, weighted by their sizes (the last may be smaller): m-sharpness (Foret et al., section
    4.1). The true one is at least the true worst case of all examples together. The physical batch size has no part
    in it.

    `normalise_logits` measures the loss of logits without mean and of length 1; see `measures/_logits.py`.

    `stderr` is the error from the choice of examples (`example_stderr` too): with all examples together it is that of
    the mean difference of the losses at the ε that was found, taken as given, and so does not contain that ε was chosen
    on the same examples; with `m` it is that of the mean over the sets. None where there is only one. What the ascent
    misses is in neither.

    `converged` is False if the last quarter of the steps still raised the best gain (with `m`, their mean) by more
    than 1 % of its final value. True says that the ascent has settled, not that it found the maximum.

    The cost, in `details["passes"]`: about 2 (steps + 1) restarts forward and backward passes over all examples, each
    counted as one; those of the radii in `after` stand in their own results. `details` also has the number of `sets`
    and, where it is one, the `perturbation_norm` ‖T⁻¹ε‖ of the point that was found. The published grid of ρ is 0.25 to
    2 for ResNets and 0.025 to 0.2 for vision transformers, on 1024 training examples with m = 128.
    """

    norm: ClassVar[float] = 2.0

    rho: float = option(0.05, "radius ρ of the neighbourhood", minimum=0.0)
    steps: int = option(20, "gradient steps of each ascent", minimum=1)
    restarts: int = option(1, "ascents; the first from the parameters, the others from random points", minimum=1)
    m: int | None = option(None, "examples in each set that has a perturbation of its own; null: all in one", minimum=1)
    normalise_logits: bool = option(False, "whether the loss gets logits without mean and of length 1")
    after: tuple[float, ...] = option((), "smaller radii to climb first, each from the one before", above=0.0)

    def __post_init__(self) -> None:
        radii = (*self.after, self.rho)
        if any(smaller >= larger for smaller, larger in itertools.pairwise(radii)):
            raise ConfigError("The radii in after must increase and be smaller than rho.")

    def of(self, problem: Problem) -> Result:
        if self.normalise_logits:
            problem = with_normalised_logits(problem)
        if self.m is None or self.m >= problem.examples:
            return self._of_all(problem)
        return self._of_sets(problem, self.m)

    def _previous_maxima(self, problem: Problem) -> _Maxima:
        """The maxima at the last radius in `after`, which is measured first unless it was the last one measured."""
        last = problem.cached("last worst-case", _LastMeasured)
        if not self.after:
            return _Maxima()
        before = replace(self, rho=self.after[-1], after=self.after[:-1])
        if last.measure != before:
            before.of(problem)
        return last.maxima

    def _of_all(self, problem: Problem) -> Result:
        ball, known = self._ball(problem), self._previous_maxima(problem).found
        found = self._climb(problem, ball, problem.generator("worst-case 0"), known)
        details = {**self._details(problem), "sets": 1, "passes": found.passes}
        if math.isnan(found.gain):
            self._keep(problem, _Maxima())
            return Result(math.nan, converged=False, details=details)
        self._keep(problem, _Maxima(found=found))
        _, difference = example_differences(problem, ball.scaled(found.position))
        stderr = error_of_mean(difference)
        details |= {"passes": found.passes + 2, "perturbation_norm": ball.length(found.position)}
        details["example_stderr"] = stderr
        return Result(found.gain, stderr, found.settled, details)

    def _of_sets(self, problem: Problem, m: int) -> Result:
        gains, earlier, passes = [], [], 0.0
        weights, previous = [], self._previous_maxima(problem).gains
        for number, subset in enumerate(problem.subsets(m)):
            known = previous[number] if previous else 0.0
            found = self._climb(subset, self._ball(subset), problem.generator(f"worst-case {number}"), None)
            weights.append(subset.denominator / problem.denominator)
            gains.append(found.gain if math.isnan(found.gain) else max(found.gain, known))
            earlier.append(max(found.earlier, known))
            passes += weights[-1] * found.passes
        value, before = _weighted(weights, gains), _weighted(weights, earlier)
        details = {**self._details(problem), "sets": len(gains), "passes": round(passes, 3)}
        self._keep(problem, _Maxima(gains=[] if math.isnan(value) else gains))
        if math.isnan(value):
            return Result(math.nan, converged=False, details=details)
        # std/√k for k sets of one size
        spread = sum((w * (gain - value)) ** 2 for w, gain in zip(weights, gains, strict=True))
        stderr = math.sqrt(spread * len(gains) / (len(gains) - 1))
        details["example_stderr"] = stderr
        return Result(value, stderr, settled(value, before), details)

    def _keep(self, problem: Problem, maxima: _Maxima) -> None:
        last = problem.cached("last worst-case", _LastMeasured)
        last.measure, last.maxima = self, maxima

    def _climb(self, problem: Problem, ball: Ball, generator: torch.Generator, known: BestPoint | None) -> BestPoint:
        return climb(problem, ball, steps=self.steps, restarts=self.restarts, generator=generator, known=known)

    def _ball(self, problem: Problem) -> Ball:
        return Ball(self.rho, self.norm, scales_of(problem, self._scaling()))

    def _details(self, problem: Problem) -> dict[str, Any]:
        return {
            **common_details(problem),
            "rho": self.rho,
            "norm": self.norm,
            **self._scaling(),
            "steps": self.steps,
            "restarts": self.restarts,
            "m": self.m,
            "normalise_logits": self.normalise_logits,
            "after": list(self.after),
            "loss": problem.loss_and_gradient[0],
        }

    def _scaling(self) -> dict[str, Any]:
        return {}


@MEASURES.register("worst-case-linf")
@dataclass(frozen=True, kw_only=True)
class WorstCaseBox(WorstCase):
    """max over |ε_i| ≤ ρ of L(w + ε) - L(w), from below, by projected gradient ascent: `worst-case` in the l∞ norm.

    The published grid is 5e-4 to 4e-3 for ResNets and 1e-5 to 8e-5 for vision transformers.
    """

    norm: ClassVar[float] = math.inf

    rho: float = option(0.002, "half the side ρ of the box", minimum=0.0)


@MEASURES.register("worst-case-adaptive")
@dataclass(frozen=True, kw_only=True)
class AdaptiveWorstCase(Adaptive, WorstCase):
    """max over ‖T⁻¹ε‖₂ ≤ ρ of L(w + ε) - L(w) with T = |w|, see `scale`.

    The adaptive sharpness of Kwon et al. (ICML 2021), with T as Andriushchenko et al. (ICML 2023) take it: a parameter
    that is zero stays zero, and rescaling the layers of a ReLU network changes nothing. The rest is as in `worst-case`.
    The published grid for vision transformers is 0.5 to 4, and ASAM trains with 0.5 to 2.
    """

    rho: float = option(0.5, "radius ρ of the neighbourhood, relative to T", minimum=0.0)


@MEASURES.register("worst-case-adaptive-linf")
@dataclass(frozen=True, kw_only=True)
class AdaptiveWorstCaseBox(AdaptiveWorstCase):
    """max over |ε_i| ≤ ρ T_i of L(w + ε) - L(w) with T = |w|: `worst-case-adaptive` in the l∞ norm.

    The published grid is 1e-3 to 8e-3 for ResNets and 5e-4 to 4e-3 for vision transformers.
    """

    norm: ClassVar[float] = math.inf

    rho: float = option(0.002, "half the side ρ of the box, relative to T", minimum=0.0)


@dataclass(frozen=True)
class _Maxima:
    """The best point at a radius, or the gain of each set; empty if the loss was not finite."""

    found: BestPoint | None = None
    gains: Sequence[float] = ()


@dataclass
class _LastMeasured:
    """The worst-case measure that was computed last: one best point is kept, not one for each radius."""

    measure: WorstCase | None = None
    maxima: _Maxima = _Maxima()


def _weighted(weights: list[float], values: list[float]) -> float:
    return sum(weight * value for weight, value in zip(weights, values, strict=True))
