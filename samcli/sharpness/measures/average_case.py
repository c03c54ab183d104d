"""Average-case sharpness: what random noise on the parameters adds to the loss."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from samcli.registry import option
from samcli.sharpness.base import MEASURES, Measure, common_details
from samcli.sharpness.measures._errors import error_of_mean, in_quadrature
from samcli.sharpness.measures._logits import with_normalised_logits
from samcli.sharpness.measures._noise import gaussian, uniform
from samcli.sharpness.measures._scales import Adaptive, scales_of
from samcli.sharpness.problem import Problem
from samcli.sharpness.result import Result


@MEASURES.register("average-case")
@dataclass(frozen=True, kw_only=True)
class AverageCase(Measure):
    """E L(w + ε) - L(w), ε = ρ z with z standard normal in each coordinate.

    Andriushchenko et al. (ICML 2023), section 2. The noise is not normalised: ‖ε‖ is about ρ √d for d parameters, so
    one ρ means different distances in networks of different size. For small ρ the value tends to ρ²/2 · tr ∇²L(w); the
    kinks of a ReLU network make it larger. It tells how the loss behaves on average around w, not in which direction
    it rises most.

    With `antithetic` each z is followed by -z, and their mean is one draw: the term ⟨∇L(w), ε⟩, which is often the
    larger part of the noise and has mean zero, cancels.

    The errors: `probe_stderr` is the standard error from the spread of the draws, with the examples as they are;
    `example_stderr` is that from the spread of the examples' own means over the draws, as if the examples were drawn
    from a larger set. `stderr` joins both in quadrature: that of the expectation over noise and examples. (Noise that
    is particular to a draw and an example is in both, so it rather is too large.) To compare networks measured with
    one seed on the same examples, most of either is common to both and the difference is more certain than that.

    `normalise_logits` measures the loss of logits without mean and of length 1; see `measures/_logits.py`.

    The published grids of ρ are 0.005 to 0.04 for vision transformers and 0.05 to 0.4 for ResNets; 0.01 is small for
    either, so that the value is still about the point w. The cost: 2 `draws` + 1 forward passes, `draws` + 1 without
    `antithetic`.
    """

    box: ClassVar[bool] = False

    rho: float = option(0.01, "size ρ of the noise in each coordinate", minimum=0.0)
    draws: int = option(20, "independent draws of the noise", minimum=2)
    antithetic: bool = option(True, "whether each draw is used with both signs")
    normalise_logits: bool = option(False, "whether the loss gets logits without mean and of length 1")

    def of(self, problem: Problem) -> Result:
        if self.normalise_logits:
            problem = with_normalised_logits(problem)
        before = problem.cached("example_losses", problem.example_losses)
        details: dict[str, Any] = {
            **common_details(problem),
            "rho": self.rho,
            "draws": self.draws,
            "antithetic": self.antithetic,
            "normalise_logits": self.normalise_logits,
            **self._scaling(),
            "loss": float(before.mean()),
            "passes": 1 + self.draws * (2 if self.antithetic else 1),
        }
        generator = problem.generator("average-case")  # the same z for all of them, so that they compare better
        scales = scales_of(problem, self._scaling())
        draw = uniform if self.box else gaussian
        means, total = [], torch.zeros_like(before)
        for _ in range(self.draws):
            increase = self._losses(problem, draw(problem, generator, self.rho, scales)) - before
            means.append(increase.mean())
            total += increase
        value = float(total.mean()) / self.draws
        if not math.isfinite(value):
            return Result(math.nan, converged=False, details=details)
        probe, example = error_of_mean(torch.stack(means)), error_of_mean(total / self.draws)
        details |= {"probe_stderr": probe, "example_stderr": example}
        return Result(value, in_quadrature(probe, example), details=details)

    def _losses(self, problem: Problem, epsilon: list[Tensor]) -> Tensor:
        losses = problem.example_losses(epsilon)
        if self.antithetic:
            losses = (losses + problem.example_losses(torch._foreach_neg(epsilon))) / 2
        return losses

    def _scaling(self) -> dict[str, Any]:
        return {}


@MEASURES.register("average-case-linf")
@dataclass(frozen=True, kw_only=True)
class AverageCaseBox(AverageCase):
    """E L(w + ε) - L(w), ε uniform in the box [-ρ, ρ] around the parameters.

    As `average-case`, with noise of the standard deviation ρ/√3: for small ρ the value tends to ρ²/6 · tr ∇²L(w). The
    published grids are twice those of the Gaussian, and so is the default.
    """

    box: ClassVar[bool] = True

    rho: float = option(0.02, "half the side ρ of the box", minimum=0.0)


@MEASURES.register("average-case-adaptive")
@dataclass(frozen=True, kw_only=True)
class AdaptiveAverageCase(Adaptive, AverageCase):
    """E L(w + ε) - L(w), ε = ρ T z with T = |w|, see `scale`, and z standard normal.

    As `average-case`, with noise relative to each parameter, as Andriushchenko et al. measure it: rescaling the layers
    of a ReLU network changes nothing. Their grids are 0.05 to 0.4 and, for vision transformers, 0.1 to 0.8.
    """

    rho: float = option(0.1, "size ρ of the noise relative to T", minimum=0.0)


@MEASURES.register("average-case-adaptive-linf")
@dataclass(frozen=True, kw_only=True)
class AdaptiveAverageCaseBox(AdaptiveAverageCase):
    """E L(w + ε) - L(w), ε = ρ T u with T = |w|, see `scale`, and u uniform in [-1, 1].

    As `average-case-adaptive`, with noise of the standard deviation ρ T/√3. The published grids are 0.1 to 0.8.
    """

    box: ClassVar[bool] = True
