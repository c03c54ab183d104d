"""The spectrum of a symmetric operator that is known by its products only: the Lanczos method."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from samcli.double import where_double_is

# A small residual certifies some eigenvalue, not the largest. A start vector with little of the largest one lets the
# method rest on the next; a few more steps after the first small residual make that unlikely.
GUARD_STEPS = 3
# Basis vectors to a matrix: a few large products in place of many small operations.
BLOCK = 8

Operator = Callable[[Tensor], Tensor]


def norm(vector: Tensor) -> float:
    """‖v‖₂, summed in double precision: in single precision that of a million numbers is right to five digits only.

    >>> norm(torch.tensor([3.0, 4.0]))
    5.0
    """
    return float(torch.linalg.vector_norm(where_double_is(vector), dtype=torch.float64))


def inner(one: Tensor, other: Tensor) -> float:
    """⟨u, v⟩, summed in double precision for the same reason.

    >>> inner(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]))
    11.0
    """
    return float(where_double_is(one * other).sum(dtype=torch.float64))


@dataclass(frozen=True)
class Ritz:
    """The Ritz pairs: the eigenpairs of an operator's projection onto a Krylov space.

    Attributes:
        values: Ritz values, ascending, (steps,) float64; NaN if an image was not finite.
        coordinates: column i holds the i-th Ritz vector in the basis, (steps, steps).
        residuals: ‖A x - θ x‖ of each pair, (steps,), as the recurrence gives it: β |last coordinate|, no product.
        ended: whether the space cannot grow: it is exhausted, or an image was not finite.
    """

    values: Tensor
    coordinates: Tensor
    residuals: Tensor
    ended: bool

    @property
    def steps(self) -> int:
        """The dimension of the space, which took as many products."""
        return len(self.values)

    @property
    def size(self) -> float:
        """The largest |Ritz value|: a lower bound of the operator's norm."""
        return float(self.values.abs().max()) if len(self.values) else 0.0


class Basis:
    """A sequence of orthonormal vectors, kept in matrices of a few rows; memory grows with their number.

    Args:
        like: a vector of their dimension, type and device.
    """

    def __init__(self, like: Tensor) -> None:
        self._like, self._blocks = like, list[Tensor]()
        self.vectors: list[Tensor] = []

    def append(self, vector: Tensor) -> None:
        """Add a copy of a unit vector that is orthogonal to the others."""
        row = len(self.vectors) % BLOCK
        if row == 0:
            self._blocks.append(self._like.new_empty(BLOCK, self._like.numel()))
        self._blocks[-1][row] = vector
        self.vectors.append(self._blocks[-1][row])

    def _parts(self, count: int) -> Iterator[Tensor]:
        for start in range(0, count, BLOCK):
            yield self._blocks[start // BLOCK][: count - start]

    def rejection(self, vector: Tensor, count: int) -> Tensor:
        """The part of a vector that is orthogonal to the first `count` of the basis."""
        for part in self._parts(count):
            vector = torch.addmv(vector, part.T, part.mv(vector), alpha=-1)
        return vector

    def combination(self, coordinates: Tensor) -> Tensor:
        """The sum of the first vectors of the basis, each times its coordinate."""
        total, start = torch.zeros_like(self._like), 0
        for part in self._parts(len(coordinates)):
            some = coordinates[start : start + len(part)].to(total.device, total.dtype)
            total, start = torch.addmv(total, part.T, some), start + len(part)
        return total


class Lanczos:
    """A Krylov space that grows on demand, so that all who ask about one operator share its products.

    Lanczos with full reorthogonalisation (Golub and Van Loan, Matrix Computations, section 10.3), which keeps the basis
    orthogonal at the cost of storing it: memory grows by one vector for each step. What `ritz(steps)` answers does not
    depend on how far the space has grown for others.

    Args:
        operator: a flat vector to its image under a symmetric matrix.
        start: a random flat vector.
        deflated: orthonormal vectors; the operator is restricted to their complement.
        scale: a known lower bound of the operator's norm, against which rounding is judged.

    Attributes:
        dimension: length of the vectors; `like` has their type and device.
        basis: one vector more than steps unless the space cannot grow.
        alphas, betas: diagonal and off-diagonal of the projection; the last β belongs to the step out of the space.

    >>> diagonal = torch.tensor([3.0, 1.0, -5.0])
    >>> space = Lanczos(lambda v: diagonal * v, torch.ones(3))
    >>> [round(value, 4) for value in space.ritz(3).values.tolist()]
    [-5.0, 1.0, 3.0]
    """

    def __init__(
        self, operator: Operator, start: Tensor, *, deflated: Sequence[Tensor] = (), scale: float = 0.0
    ) -> None:
        self.operator, self.like = operator, start.new_empty(0)
        self.dimension = start.numel()
        self.basis, self._deflated = Basis(start), Basis(start)
        self.alphas: list[float] = []
        self.betas: list[float] = []
        self._scale, self._ended = scale, len(deflated) >= start.numel()
        self._known: dict[int, Ritz] = {}
        for vector in deflated:
            self._deflated.append(vector)
        if not self._ended:
            first = self._rejected(start)
            self.basis.append(first / norm(first))

    def ritz(self, steps: int) -> Ritz:
        """The Ritz pairs of the first steps, or of as many as there can be."""
        while len(self.alphas) < steps and not self._ended:
            self._step()
        steps = min(steps, len(self.alphas))
        if steps not in self._known:
            self._known[steps] = self._solve(steps)
        return self._known[steps]

    def _rejected(self, vector: Tensor) -> Tensor:
        for _ in range(2):  # twice is enough (Giraud and others, 2005)
            for basis in (self._deflated, self.basis):
                vector = basis.rejection(vector, len(basis.vectors))
        return vector

    def _step(self) -> None:
        last = self.basis.vectors[-1]
        image = self.operator(last)
        alpha = inner(image, last)
        image = self._rejected(image)
        beta = norm(image)
        self.alphas.append(alpha)
        self.betas.append(beta)
        self._scale = max(self._scale, abs(alpha))
        exhausted = beta <= 10 * torch.finfo(image.dtype).eps * max(self._scale, *self.betas[:-1], 0.0)
        full = len(self.alphas) + len(self._deflated.vectors) >= self.dimension
        self._ended = exhausted or full or not math.isfinite(alpha + beta)
        if not self._ended:
            self.basis.append(image / beta)

    def _solve(self, steps: int) -> Ritz:
        off = torch.tensor(self.betas[:steps][:-1], dtype=torch.float64)
        matrix = torch.diag(torch.tensor(self.alphas[:steps], dtype=torch.float64))
        if steps > 1:
            matrix += torch.diag(off, 1) + torch.diag(off, -1)
        last = self._ended and steps == len(self.alphas)
        if steps == 0 or not (bool(torch.isfinite(matrix).all()) and math.isfinite(self.betas[steps - 1])):
            nothing = torch.full((steps,), math.nan, dtype=torch.float64)
            return Ritz(nothing, torch.zeros_like(matrix), nothing, last)
        values, vectors = torch.linalg.eigh(matrix)
        return Ritz(values, vectors, self.betas[steps - 1] * vectors[-1].abs(), last)


def grow(
    space: Lanczos, settled: Callable[[Ritz], bool], max_steps: int, guard: int = GUARD_STEPS
) -> tuple[Ritz, bool]:
    """Grow a space until its Ritz pairs have been settled for some guard steps more.

    Args:
        space: of any size; steps that it has taken already are gone through too.
        settled: whether Ritz pairs are what the caller is after.
        max_steps: after which to give up.
        guard: steps that have to be settled after the first.

    Returns:
        The Ritz pairs of the last step, and whether they are settled: those of a space that cannot grow are.

    >>> space = Lanczos(lambda v: torch.arange(9.0) * v, torch.ones(9))
    >>> ritz, is_settled = grow(space, lambda ritz: ritz.size > 7.0, max_steps=9)
    >>> ritz.steps, is_settled  # the first three hold a value above 7, and three more guard them
    (6, True)
    """
    count = 0
    for steps in range(1, max_steps + 1):
        ritz = space.ritz(steps)
        if ritz.ended or ritz.steps < steps:
            return ritz, math.isfinite(ritz.size)
        count = count + 1 if settled(ritz) else 0
        if count > guard:
            return ritz, True
    return space.ritz(max_steps), False


@dataclass(frozen=True)
class Eigenvalue:
    """An eigenvalue estimate θ with unit vector x.

    Attributes:
        residual: ‖A x - θ x‖ / max |Ritz value|, as the recurrence gives it.
        error: an estimate of |θ - λ|, relative to |θ| or, of the smallest, to max |Ritz value|.
        products: operator applications that it needs.
        converged: whether the error is within the tolerance, and was so one step before.
    """

    value: float
    residual: float
    error: float
    products: int
    converged: bool


def extreme_eigenvalue(space: Lanczos, *, largest: bool, tolerance: float, max_iterations: int) -> Eigenvalue:
    """The algebraically largest or smallest eigenvalue, from a space that may have grown for others already.

    The error is estimated by min(r, r²/γ) with the residual r = ‖A x - θ x‖ and the distance γ from θ to the next Ritz
    value in place of the next eigenvalue (the inequality of Kato and Temple): of second order in the residual. It is
    never taken to be below what rounding leaves.

    Args:
        space: grown as needed.
        largest: otherwise the smallest.
        tolerance: on the error; of the largest relative to |θ|, but to no less than a hundredth of the largest
            |Ritz value|, of the smallest relative to that value itself, since it may be anywhere near zero.
        max_iterations: products after which to give up.

    >>> space = Lanczos(lambda v: torch.tensor([3.0, 1.0, -5.0]) * v, torch.ones(3))
    >>> found = extreme_eigenvalue(space, largest=True, tolerance=1e-3, max_iterations=10)
    >>> round(found.value, 4), found.products, found.converged
    (3.0, 3, True)
    """
    index = -1 if largest else 0

    def relative_error(ritz: Ritz) -> float:
        scale = max(abs(float(ritz.values[index])), 0.01 * ritz.size) if largest else ritz.size
        return _error(ritz, index, space.like.dtype) / scale if scale > 0.0 else 0.0

    ritz, settled = grow(space, lambda r: relative_error(r) <= tolerance, max_iterations, guard=2)
    if not math.isfinite(ritz.size):
        return Eigenvalue(math.nan, math.nan, math.nan, ritz.steps, False)
    residual = float(ritz.residuals[index])
    relative = residual / ritz.size if ritz.size > 0.0 else residual
    return Eigenvalue(float(ritz.values[index]), relative, relative_error(ritz), ritz.steps, settled)


def _error(ritz: Ritz, index: int, dtype: torch.dtype) -> float:
    """An estimate of the distance from a Ritz value at an end of the spectrum to the eigenvalue."""
    if not math.isfinite(ritz.size):
        return math.nan
    residual = float(ritz.residuals[index])
    gap = abs(float(ritz.values[index] - ritz.values[-2 if index else 1])) if ritz.steps > 1 else 0.0
    return max(residual**2 / gap if gap > residual else residual, 10 * torch.finfo(dtype).eps * ritz.size)
