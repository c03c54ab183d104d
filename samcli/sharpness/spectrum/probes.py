"""The trace and the Frobenius norm of a symmetric operator, from random probes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from samcli.sharpness.spectrum.lanczos import Lanczos

# A standard deviation of fewer values is too rough to stop by: the interval would not hold what it says.
MINIMUM_PROBES = 10


class Probe(NamedTuple):
    """Two numbers from the product y = A P z with a random z, P the projection.

    Attributes:
        form: zᵀ P y.
        square: ‖y‖².
    """

    form: float
    square: float


@dataclass(frozen=True)
class Mean:
    """A mean over probes with its standard error, None for a single probe."""

    value: float
    stderr: float | None
    probes: int


class Probes:
    """Estimates of tr A and ‖A‖² by Hutchinson's estimator on the complement of a Krylov space.

    With an orthonormal basis V of the space and P = 1 - V Vᵀ::

        tr A   = tr(Vᵀ A V) + E zᵀ P A P z
        ‖A‖²_F = ‖A V‖²_F   + E ‖A P z‖²

    for random signs z (Hutchinson, 1989). The first terms come from the Lanczos recurrence without further products.
    That is the idea of Hutch++ (Meyer and others, SOSA 2021): few large eigenvalues make the variance, and they are
    taken out. A Krylov space instead of its random sketch costs one product for a dimension instead of two, and is
    there already if eigenvalues are measured too (Chen and Hallman, SIMAX 2023). The estimates are unbiased, for z does
    not depend on the space. Probes come one after the other: nothing is kept but two numbers of each.

    Args:
        space: a Krylov space of the operator A.
        rank: dimension of the space; 0 for Hutchinson's estimator alone.
        generator: draws the signs.

    Attributes:
        rank: the dimension that was reached.
        exact: both numbers on the Krylov space, which the probes leave out.

    >>> diagonal = torch.tensor([4.0, 3.0, 2.0, 1.0])
    >>> probes = Probes(Lanczos(lambda v: diagonal * v, torch.ones(4)), 0, torch.Generator().manual_seed(0))
    >>> probes.mean(lambda probe: probe.form, lambda mean: False, most=10)  # signs give a diagonal's trace exactly
    Mean(value=10.0, stderr=0.0, probes=10)
    """

    def __init__(self, space: Lanczos, rank: int, generator: torch.Generator) -> None:
        self._space, self._generator = space, generator
        self._probes: list[Probe] = []
        ritz = space.ritz(rank) if rank else None
        self.rank = ritz.steps if ritz is not None else 0
        self.exact = Probe(0.0, 0.0)
        if ritz is not None:
            values = ritz.values
            self.exact = Probe(float(values.sum()), float(values.square().sum()) + space.betas[self.rank - 1] ** 2)

    def mean(self, pick: Callable[[Probe], float], enough: Callable[[Mean], bool], most: int) -> Mean:
        """The mean of one of the two numbers over as many probes as are enough.

        The answer does not depend on how many probes have been taken for others.

        Args:
            pick: the number that a probe contributes.
            enough: whether a mean is exact enough to stop at; it is not asked before 10 probes.
            most: probes after which to stop all the same.
        """
        if self.rank == self._space.dimension:  # nothing is left for the probes
            return Mean(pick(self.exact), 0.0, 0)
        found = Mean(math.nan, None, 0)
        for count in range(1, most + 1):
            found = _mean([pick(self._probe(number)) for number in range(count)], pick(self.exact))
            if not math.isfinite(found.value) or (count >= MINIMUM_PROBES and enough(found)):
                break
        return found

    def _probe(self, number: int) -> Probe:
        while len(self._probes) <= number:
            z = self._space.basis.rejection(self._signs(), self.rank)
            image = self._space.operator(z)
            self._probes.append(Probe(float(z.dot(image)), float(image.square().sum())))
        return self._probes[number]

    def _signs(self) -> Tensor:
        like = self._space.like
        signs = torch.randint(2, (self._space.dimension,), generator=self._generator)
        return (2 * signs - 1).to(like.device, like.dtype)


def _mean(values: Sequence[float], offset: float) -> Mean:
    count, mean = len(values), math.fsum(values) / len(values)
    if count == 1 or not math.isfinite(mean):
        return Mean(offset + mean, None, count)
    variance = math.fsum((value - mean) ** 2 for value in values) / (count - 1)
    return Mean(offset + mean, math.sqrt(variance / count), count)
