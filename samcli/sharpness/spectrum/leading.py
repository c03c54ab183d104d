"""The first eigenvalues of a symmetric operator, multiple ones as often as they occur."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from samcli.sharpness.spectrum.lanczos import Lanczos, Ritz, grow, norm

# The search for what was missed need only tell a missed eigenvalue from those below: it may be coarser than the values.
SEARCH_TOLERANCE = 1e-2

Score = Callable[[float], float]


@dataclass(frozen=True)
class Pair:
    """An eigenvalue estimate with its unit vector, and its residual relative to the size of the operator."""

    value: float
    vector: Tensor
    residual: float


@dataclass(frozen=True)
class Leading:
    """The first eigenpairs in descending score.

    Attributes:
        pairs: those that were found.
        starts: the number of Krylov spaces.
        products: operator applications that they took.
        converged: whether all residuals are within the tolerance, and the last space held nothing further.
    """

    pairs: list[Pair]
    starts: int
    products: int
    converged: bool


def leading_eigenvalues(
    space: Lanczos,
    start: Callable[[int], Tensor],
    *,
    k: int,
    score: Score,
    tolerance: float,
    max_products: int,
) -> Leading:
    """The k eigenvalues of highest score.

    A Krylov space holds one vector of each eigenspace, so a multiple eigenvalue appears in it once. Spaces with new
    starts in the complement of what is found follow, until one has nothing above the k-th (locking; Saad, Numerical
    Methods for Large Eigenvalue Problems, section 6.4).

    Args:
        space: the first space, grown as needed.
        start: a random vector for each further space.
        k: how many; fewer are returned if the operator has no more.
        score: what eigenvalues are ordered by: the value itself, or its absolute value.
        tolerance: on the residual relative to the largest |Ritz value|.
        max_products: after which to give up.

    >>> import torch
    >>> diagonal, generator = torch.tensor([2.0, 2.0, 1.0, 0.0]), torch.Generator().manual_seed(0)
    >>> space = Lanczos(lambda v: diagonal * v, torch.ones(4))
    >>> settings = {"k": 3, "score": float, "tolerance": 1e-3, "max_products": 20}
    >>> found = leading_eigenvalues(space, lambda number: torch.randn(4, generator=generator), **settings)
    >>> [round(pair.value, 4) for pair in found.pairs], found.converged
    ([2.0, 2.0, 1.0], True)
    """
    found: list[Pair] = []
    size, products, starts, complete = 0.0, 0, 0, False
    while not complete and products < max_products and math.isfinite(size):
        search = _Search(k, score, tolerance, [score(pair.value) for pair in found], size)
        ritz, settled = grow(space, search.settled, max_products - products)
        products, starts, size = products + ritz.steps, starts + 1, max(size, ritz.size)
        if not math.isfinite(ritz.size):
            return Leading([], starts, products, False)
        new = search.additions(ritz)
        found += [_pair(space, ritz, index, size) for index in new]
        found = sorted(found, key=lambda pair: -score(pair.value))[:k]
        whole = ritz.steps + len(search.known) == space.dimension  # the spaces together are the whole
        complete = settled and (whole or (not new and len(found) == k) or len(found) == space.dimension)
        if not complete and products < max_products:
            space = Lanczos(space.operator, start(starts), deflated=[pair.vector for pair in found], scale=size)
    return Leading(found, starts, products, complete and all(pair.residual <= tolerance for pair in found))


@dataclass(frozen=True)
class _Search:
    """The search of one space, given the scores of the pairs found before."""

    k: int
    score: Score
    tolerance: float
    known: list[float]
    size: float

    def additions(self, ritz: Ritz) -> list[int]:
        """The Ritz values that belong among the first k of all: those clearly above what they would replace."""
        scores = [self.score(value) for value in ritz.values.tolist()]
        order = sorted(range(len(scores)), key=lambda index: -scores[index])[: self.k]
        slack = self.tolerance * max(self.size, ritz.size)
        ahead = [sum(known >= scores[index] - slack for known in self.known) for index in order]
        return [index for rank, index in enumerate(order) if rank + ahead[rank] < self.k]

    def settled(self, ritz: Ritz) -> bool:
        """Whether the additions are converged, and the first of this space is to the coarser tolerance of a search.

        The search measures by the size of the space's own Ritz values: against that of the operator, the first images
        of a random vector are small, and nothing would be found.
        """
        new, size = self.additions(ritz), max(self.size, ritz.size)
        if ritz.steps < self.k - len(self.known):
            return False
        scores = [self.score(value) for value in ritz.values.tolist()]
        first = scores.index(max(scores))
        coarse = max(self.tolerance, SEARCH_TOLERANCE) * max(ritz.size, self.tolerance * size)
        residuals = ritz.residuals.tolist()
        return residuals[first] <= 0.5 * coarse and all(residuals[i] <= 0.5 * self.tolerance * size for i in new)


def _pair(space: Lanczos, ritz: Ritz, index: int, size: float) -> Pair:
    vector = space.basis.combination(ritz.coordinates[:, index])
    residual = float(ritz.residuals[index])
    return Pair(float(ritz.values[index]), vector / norm(vector), residual / size if size > 0.0 else residual)
