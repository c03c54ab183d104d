"""The algebraically largest eigenvalue of a symmetric operator, by the Lanczos method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

# A small residual certifies some eigenvalue, not the largest. A start vector with little of the largest one lets the
# method rest on the next; a few more steps after the first small residual make that unlikely.
GUARD_STEPS = 3


@dataclass(frozen=True)
class Eigenvalue:
    """An eigenvalue estimate θ with its unit vector x.

    Attributes:
        residual: ‖A x - θ x‖ / max |Ritz value|, from one more product: θ lies that close to some eigenvalue,
            relative to the size of the operator.
        products: operator applications used, the residual's included.
        converged: whether the residual is within the tolerance.
    """

    value: float
    vector: Tensor
    residual: float
    products: int
    converged: bool


def largest_eigenvalue(
    operator: Callable[[Tensor], Tensor],
    start: Tensor,
    *,
    tolerance: float,
    max_iterations: int,
) -> Eigenvalue:
    """The largest eigenvalue, with its sign: a dominant negative one is passed over.

    Lanczos with full reorthogonalisation (Golub and Van Loan, Matrix Computations, section 10.3), which keeps the basis
    orthogonal at the cost of storing it: memory grows by one vector for each iteration.

    Args:
        operator: a flat vector to its image under a symmetric matrix.
        start: a random flat vector.
        tolerance: on the relative residual.
        max_iterations: products after which to give up, the residual's not counted.

    >>> diagonal = torch.tensor([3.0, 1.0, -5.0])
    >>> found = largest_eigenvalue(lambda v: diagonal * v, torch.ones(3), tolerance=1e-5, max_iterations=10)
    >>> round(found.value, 4), found.converged
    (3.0, True)
    """
    basis = [start / start.norm()]
    alphas: list[float] = []
    betas: list[float] = []
    small, size, ritz = 0, 0.0, torch.zeros(0)
    rounding = torch.finfo(start.dtype).eps
    for _ in range(min(max_iterations, start.numel())):
        image = operator(basis[-1])
        alphas.append(float(image.dot(basis[-1])))
        for _ in range(2):  # twice is enough (Giraud and others, 2005)
            for vector in basis:
                image = image - image.dot(vector) * vector
        beta = float(image.norm())
        value, ritz, size = _top(alphas, betas)
        if not abs(value) < float("inf"):
            break
        if beta <= 10 * rounding * size or beta == 0.0:  # the Krylov space is exhausted: nothing more to find
            break
        small = small + 1 if beta * abs(float(ritz[-1])) <= 0.5 * tolerance * size else 0
        if small > GUARD_STEPS:
            break
        betas.append(beta)
        basis.append(image / beta)
    return _assemble(operator, basis[: len(ritz)], ritz, size, len(alphas), tolerance)


def _top(alphas: list[float], betas: list[float]) -> tuple[float, Tensor, float]:
    """The largest Ritz value, its coordinates in the basis, and the largest absolute Ritz value."""
    off = torch.tensor(betas[: len(alphas) - 1], dtype=torch.float64)
    matrix = torch.diag(torch.tensor(alphas, dtype=torch.float64))
    matrix += torch.diag(off, 1) + torch.diag(off, -1)
    if not bool(torch.isfinite(matrix).all()):
        return float("nan"), torch.zeros(len(alphas), dtype=torch.float64), 0.0
    values, vectors = torch.linalg.eigh(matrix)
    return float(values[-1]), vectors[:, -1], float(values.abs().max())


def _assemble(
    operator: Callable[[Tensor], Tensor],
    basis: list[Tensor],
    ritz: Tensor,
    size: float,
    products: int,
    tolerance: float,
) -> Eigenvalue:
    vector = torch.zeros_like(basis[0])
    for coordinate, member in zip(ritz.tolist(), basis, strict=True):
        vector.add_(member, alpha=coordinate)
    image = operator(vector)
    value = float(image.dot(vector))  # the Rayleigh quotient of the vector itself
    distance = float((image - value * vector).norm())
    residual = distance / size if size > 0.0 else distance
    finite = abs(value) < float("inf") and bool(ritz.any())
    return Eigenvalue(
        value if finite else float("nan"), vector, residual, products + 1, finite and residual <= tolerance
    )
