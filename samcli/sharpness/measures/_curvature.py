"""The symmetric operators whose spectrum is measured, and the Krylov space that all measures of one share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from samcli.errors import NotApplicable
from samcli.sharpness.measures._noise import asam_scales
from samcli.sharpness.problem import Problem
from samcli.sharpness.spectrum.lanczos import Lanczos, Operator

# The gradient is a forward and a backward pass; its derivative runs through both again. The Gauss-Newton product has a
# forward and a backward pass, a tangent and one more backward pass.
PASSES_PER_PRODUCT = 4


@dataclass(frozen=True)
class Curvature:
    """A symmetric operator on flat vectors of the parameters.

    Attributes:
        name: the same name stands for the same operator of one problem.
        times: its product with a vector.
    """

    name: str
    times: Operator


def hessian(problem: Problem) -> Curvature:
    """H = ∇²L(w)."""
    return Curvature("hessian", problem.hessian_times)


def gauss_newton(problem: Problem) -> Curvature:
    """G = Jᵀ (∂²ℓ/∂f²) J, J the derivative of the network's outputs by its parameters."""
    return Curvature("gauss-newton", problem.gauss_newton_times)


def adaptive_hessian(problem: Problem, eta: float) -> Curvature:
    """T H T with ASAM's T: |w| + η for weights, 1 for biases."""
    return _rescaled(f"adaptive hessian {eta!r}", problem, asam_scales(problem, eta))


def adam_hessian(problem: Problem) -> Curvature:
    """P^-½ H P^-½ with Adam's preconditioner P; where the optimizer has no state, P is infinite.

    Raises:
        NotApplicable: there is no P.
    """
    preconditioner = problem.stability.preconditioner if problem.stability else None
    if not preconditioner:
        raise NotApplicable(
            "lambda-max-adam needs the state of Adam or AdamW after a step, with one learning rate for all parameters; "
            "leave it out for weights that were trained otherwise."
        )
    scales = [
        preconditioner[name].rsqrt() if name in preconditioner else torch.zeros_like(parameter)
        for name, parameter in zip(problem.names, problem.parameters, strict=True)
    ]
    return _rescaled("adam hessian", problem, scales)


def _rescaled(name: str, problem: Problem, scales: Sequence[Tensor]) -> Curvature:
    """S H S for a diagonal S in the shapes of the parameters."""
    scale = torch.cat([part.detach().reshape(-1) for part in scales])
    return Curvature(name, lambda v: scale * problem.hessian_times(scale * v))


def krylov_space(problem: Problem, curvature: Curvature) -> Lanczos:
    """The Krylov space of the first random start, one for all measures of this operator."""
    return problem.cached(f"krylov {curvature.name}", lambda: Lanczos(curvature.times, start_vector(problem, 0)))


def start_vector(problem: Problem, number: int) -> Tensor:
    """A standard normal start of a Krylov space."""
    draws = problem.normal(problem.generator(f"krylov start {number}"))
    return torch.cat([draw.reshape(-1) for draw in draws])


def cost(products: int) -> dict[str, int]:
    """What a result records of its cost: what it takes alone, though others may have shared it."""
    return {"products": products, "passes": PASSES_PER_PRODUCT * products}
