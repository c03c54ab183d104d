"""Exact matrices by torch.func, an implementation that shares nothing with ours."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

Loss = Callable[[Tensor, Tensor], Tensor]
Exact = Callable[[nn.Module, Tensor, Tensor], Tensor]


def as_function(model: nn.Module, x: Tensor) -> tuple[Callable[[Tensor], Tensor], Tensor]:
    """The outputs as a function of the flat parameters, and those."""
    parameters = {n: p.detach() for n, p in model.named_parameters()}

    def outputs(flat: Tensor) -> Tensor:
        pieces = flat.split([p.numel() for p in parameters.values()])
        given = {n: piece.view(p.shape) for (n, p), piece in zip(parameters.items(), pieces, strict=True)}
        found: Tensor = torch.func.functional_call(model, given, (x,))
        return found

    return outputs, torch.cat([p.reshape(-1) for p in parameters.values()])


@pytest.fixture
def exact_hessian() -> Exact:
    """The Hessian of the cross-entropy, (parameters, parameters)."""

    def hessian(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        outputs, w = as_function(model, x)
        found: Tensor = torch.func.hessian(lambda flat: nn.functional.cross_entropy(outputs(flat), y))(w)
        return found

    return hessian


@pytest.fixture
def hessian_by_differences() -> Exact:
    """Central differences of the gradient, right to about 1e-10: torch.func.hessian is wrong for a transformer.

    (By 10 % in torch 2.15; reverse mode twice agrees with the differences.)
    """

    def hessian(model: nn.Module, x: Tensor, y: Tensor, step: float = 1e-5) -> Tensor:
        outputs, w = as_function(model, x)
        gradient = torch.func.grad(lambda flat: nn.functional.cross_entropy(outputs(flat), y))
        return torch.stack([(gradient(w + step * e) - gradient(w - step * e)) / (2 * step) for e in torch.eye(len(w))])

    return hessian


@pytest.fixture
def exact_gauss_newton() -> Exact:
    """The Gauss-Newton matrix of the cross-entropy, (parameters, parameters)."""

    def gauss_newton(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        outputs, w = as_function(model, x)
        jacobian = torch.func.jacrev(outputs)(w).flatten(0, -2)
        inner = torch.func.hessian(lambda f: nn.functional.cross_entropy(f, y))(outputs(w))
        return jacobian.T @ inner.reshape(len(jacobian), -1) @ jacobian

    return gauss_newton


@pytest.fixture
def asam_scale() -> Callable[[nn.Module, float], Tensor]:
    """ASAM's T of all parameters, flat."""

    def scale(model: nn.Module, eta: float) -> Tensor:
        pieces = [
            p.detach().abs() + eta if n.endswith("weight") else torch.ones_like(p) for n, p in model.named_parameters()
        ]
        return torch.cat([piece.reshape(-1) for piece in pieces])

    return scale
