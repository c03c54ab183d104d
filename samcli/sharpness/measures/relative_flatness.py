"""Relative flatness: the curvature in one layer, relative to its weights."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from samcli.double import in_double
from samcli.errors import ConfigError, NotApplicable, nearest
from samcli.registry import option
from samcli.sharpness.base import MEASURES, Measure, common_details
from samcli.sharpness.measures._curvature import cost
from samcli.sharpness.measures._errors import error_of_mean, in_quadrature
from samcli.sharpness.problem import Problem
from samcli.sharpness.result import Result

SUBSETS = 20  # sets of examples whose spread gives the error of the examples; more, where a set would be larger than
LARGEST_SUBSET = 100


@MEASURES.register("relative-flatness")
@dataclass(frozen=True, kw_only=True)
class RelativeFlatness(Measure):
    """Σ ⟨w_s, w_t⟩ tr H_st over all pairs s, t of the neurons of one layer, W's rows w_s, H_st the blocks of ∇²L.

    Petzka, Kamp, Adilova, Sminchisescu and Boley (NeurIPS 2021, definition 3). H_st holds the second derivatives with
    respect to the weights into neuron s and those into neuron t. A large value is a sharp layer, in spite of the name.
    Scaling the layer by c and the next by 1/c in a ReLU network changes nothing. It says nothing of other layers, whose
    values are on other scales, and needs a fully connected one. The paper's experiments also divide each neuron by the
    standard deviation of its activation; that is not done here.

    The sum is the trace of Sᵀ∇²L S over the layer, for any S with S Sᵀ = W Wᵀ that acts on each column of weights::

        Σ_st ⟨w_s, w_t⟩ tr H_st = E vᵀ ∇²L v,   v = S z,

    with independent random signs z: Hutchinson's estimate. Here S = U Σ of the singular value decomposition of W, which
    needs fewer signs than W itself and leaves less noise.

    The errors: `probe_stderr` is that of the mean over `probes`; `example_stderr` is from the spread over disjoint sets
    of examples, 20 or more, as if the examples were drawn from a larger set; `stderr` joins both in quadrature. The
    cost: one Hessian-vector product for each probe, over the whole data in sets of at most 100 examples.

    Raises:
        ConfigError: no such weight matrix.
        NotApplicable: no weight matrix at all.
    """

    layer: str | None = option(None, "name of a weight matrix; null is the last one")
    probes: int = option(30, "random probes", minimum=2)

    def of(self, problem: Problem) -> Result:
        name = self._name(problem)
        weight = problem.parameters[problem.names.index(name)].detach()
        loss = float(problem.cached("example_losses", problem.example_losses).mean())
        details = {**common_details(problem), "layer": name, "probes": self.probes, "loss": loss}
        if not (math.isfinite(loss) and bool(torch.isfinite(weight).all())):
            return Result(math.nan, converged=False, details={**details, "products": 0, "passes": 1})
        curvatures, shares = self._curvatures(problem, name, weight)
        problem.products += self.probes
        details |= cost(self.probes)
        details["passes"] += 1  # the loss
        value = float((curvatures @ shares).mean())
        if not math.isfinite(value):
            return Result(math.nan, converged=False, details=details)
        probe = error_of_mean(curvatures @ shares)
        example = _error_of_subsets(curvatures.mean(0), shares)
        details |= {"probe_stderr": probe, "example_stderr": example}
        return Result(value, in_quadrature(probe, example), details=details)

    def _name(self, problem: Problem) -> str:
        matrices = [name for name, p in zip(problem.names, problem.parameters, strict=True) if p.dim() == 2]
        if not matrices:
            raise NotApplicable(
                "Relative flatness is that of a fully connected layer: the model has no weight matrix that requires a "
                "gradient. Leave it out for this model."
            )
        name = matrices[-1] if self.layer is None else self.layer
        if name not in matrices:
            raise ConfigError(f"The model has no weight matrix named {name!r}; {nearest(name, matrices)}")
        return name

    def _curvatures(self, problem: Problem, name: str, weight: Tensor) -> tuple[Tensor, Tensor]:
        """vᵀ∇²L v of each probe on each set of examples, (probes, sets), and the sets' shares of the examples."""
        size = min(math.ceil(problem.examples / SUBSETS), LARGEST_SUBSET)
        subsets = list(problem.subsets(size))
        factor, generator = _left_factor(weight), problem.generator("relative-flatness")
        shape = (factor.shape[1], weight.shape[1])
        table = torch.zeros(self.probes, len(subsets), dtype=torch.float64)
        for i in range(self.probes):
            signs = torch.randint(2, shape, generator=generator).double() * 2 - 1
            vector = _embedded(problem, name, (factor @ signs).to(weight))
            for k, subset in enumerate(subsets):
                table[i, k] = float(in_double(subset.hessian_times(vector)).dot(in_double(vector)))
        counts = torch.tensor([subset.denominator for subset in subsets], dtype=torch.float64)
        return table, counts / counts.sum()


def _left_factor(weight: Tensor) -> Tensor:
    """S of the smallest width with S Sᵀ = W Wᵀ, on the CPU, so that draws are the same on every device."""
    u, values, _ = torch.linalg.svd(in_double(weight).cpu(), full_matrices=False)
    factor: Tensor = u * values
    return factor


def _embedded(problem: Problem, name: str, direction: Tensor) -> Tensor:
    """A direction in one parameter as a flat direction in all."""
    pieces = [
        direction.reshape(-1) if other == name else torch.zeros_like(parameter).reshape(-1)
        for other, parameter in zip(problem.names, problem.parameters, strict=True)
    ]
    return torch.cat(pieces)


def _error_of_subsets(means: Tensor, shares: Tensor) -> float | None:
    """The standard error of Σ shares · means, where a mean over twice the examples has half the variance."""
    if len(means) < 2:
        return None
    spread = float((shares * (means - (shares * means).sum()).square()).sum())
    return math.sqrt(spread / (len(means) - 1))
