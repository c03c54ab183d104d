"""The symmetric operators whose spectrum is measured, and the Krylov space that all measures of one share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from samcli.errors import NotApplicable
from samcli.sharpness.measures._scales import adaptive_scales
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
    """The Hessian H = ∇²L(w).

    >>> data = [(torch.diag(torch.tensor([1.0, 2.0])), torch.zeros(2, 1))]
    >>> problem = Problem(torch.nn.Linear(2, 1, bias=False), torch.nn.functional.mse_loss, data, seed=0)
    >>> hessian(problem).times(torch.ones(2))  # of (w₁² + 4 w₂²)/2
    tensor([1., 4.])
    """
    return Curvature("hessian", problem.hessian_times)


def gauss_newton(problem: Problem) -> Curvature:
    """The Gauss-Newton matrix G = Jᵀ (∂²ℓ/∂f²) J, J the derivative of the network's outputs by its parameters.

    >>> data = [(torch.diag(torch.tensor([1.0, 2.0])), torch.zeros(2, 1))]
    >>> problem = Problem(torch.nn.Linear(2, 1, bias=False), torch.nn.functional.mse_loss, data, seed=0)
    >>> gauss_newton(problem).times(torch.ones(2))  # the Hessian, for the outputs are linear in the parameters
    tensor([1., 4.])
    """
    return Curvature("gauss-newton", problem.gauss_newton_times)


def adaptive_hessian(problem: Problem, eta: float, scale: str) -> Curvature:
    """T H T with the T of the adaptive measures, see `Adaptive`.

    >>> data = [(torch.diag(torch.tensor([1.0, 2.0])), torch.zeros(2, 1))]
    >>> problem = Problem(torch.nn.Linear(2, 1, bias=False), torch.nn.functional.mse_loss, data, seed=0)
    >>> found = adaptive_hessian(problem, 0.0, "all").times(torch.ones(2))
    >>> found == problem.parameters[0][0] ** 2 * torch.tensor([1, 4])
    tensor([True, True])
    """
    return _rescaled(f"adaptive hessian {eta!r} {scale}", problem, adaptive_scales(problem, eta, scale))


def adam_hessian(problem: Problem) -> Curvature:
    """P^-½ H P^-½ with Adam's preconditioner P; where the optimizer has no state, P is infinite.

    Raises:
        NotApplicable: there is no P.

    >>> data = [(torch.diag(torch.tensor([1.0, 2.0])), torch.zeros(2, 1))]
    >>> problem = Problem(torch.nn.Linear(2, 1, bias=False), torch.nn.functional.mse_loss, data, seed=0)
    >>> from samcli.sharpness.stability import Stability
    >>> problem.stability = Stability(0.1, 0.1, 38.0, {"weight": torch.tensor([[4.0, 1.0]])})
    >>> adam_hessian(problem).times(torch.ones(2))
    tensor([0.2500, 4.0000])
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
    """The Krylov space of the first random start, one for all measures of this operator.

    >>> data = [(torch.diag(torch.tensor([1.0, 2.0])), torch.zeros(2, 1))]
    >>> problem = Problem(torch.nn.Linear(2, 1, bias=False), torch.nn.functional.mse_loss, data, seed=0)
    >>> krylov_space(problem, hessian(problem)) is krylov_space(problem, hessian(problem))
    True
    """
    return problem.cached(f"krylov {curvature.name}", lambda: Lanczos(curvature.times, start_vector(problem, 0)))


def start_vector(problem: Problem, number: int) -> Tensor:
    """A standard normal start of a Krylov space, flat; a function of the problem's seed and a number.

    >>> data = [(torch.diag(torch.tensor([1.0, 2.0])), torch.zeros(2, 1))]
    >>> problem = Problem(torch.nn.Linear(2, 1, bias=False), torch.nn.functional.mse_loss, data, seed=0)
    >>> start_vector(problem, 0).shape, torch.equal(start_vector(problem, 0), start_vector(problem, 1))
    (torch.Size([2]), False)
    """
    draws = problem.normal(problem.generator(f"krylov start {number}"))
    return torch.cat([draw.reshape(-1) for draw in draws])


def cost(products: int) -> dict[str, int]:
    """The entries about the cost in the `details` of a result: what it takes alone, though others may have shared it.

    >>> cost(products=8)
    {'products': 8, 'passes': 32}
    """
    return {"products": products, "passes": PASSES_PER_PRODUCT * products}
