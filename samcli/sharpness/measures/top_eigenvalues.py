"""The first eigenvalues of the Hessian."""

from __future__ import annotations

import math
from dataclasses import dataclass

from samcli.registry import option
from samcli.sharpness.base import MEASURES, Measure, common_details
from samcli.sharpness.measures._curvature import cost, hessian, krylov_space, start_vector
from samcli.sharpness.problem import Problem
from samcli.sharpness.result import Result
from samcli.sharpness.spectrum.leading import Leading, Score, leading_eigenvalues

SCORES: dict[str, Score] = {"largest": float, "magnitude": abs}


@MEASURES.register("top-eigenvalues")
@dataclass(frozen=True, kw_only=True)
class TopEigenvalues(Measure):
    """λ_1 ≥ ... ≥ λ_k of ∇²L(w), multiple ones as often as they occur; the value is λ_1.

    `details["values"]` are all of them, `residuals` their ‖Hx - λx‖ / max |Ritz value| as the Lanczos recurrence gives
    them (without further products), and `ratio` is λ_1/λ_k: for k = 5 the λ_max/λ_5 by which Foret et al. (ICLR 2021,
    figure 3) describe how far one direction sticks out; None where λ_k is not above zero. `which` = magnitude sorts
    by |λ| instead, so that λ_1 may be negative, and has the ratio of |λ|.

    One Krylov space finds a multiple eigenvalue once only, so another one with a fresh start, orthogonal to the
    eigenvectors found, looks for a further one as large as λ_k, until there is none; its products are counted
    (`starts` such spaces, the first shared with `lambda-max`). `converged` says that all residuals are within the
    tolerance and that the last search found nothing. Some 30 to 60 products for k = 5. No standard error, as for
    `lambda-max`.
    """

    k: int = option(5, "how many eigenvalues", minimum=1)
    which: str = option("largest", "what comes first: the largest, or the largest in magnitude", choices=(*SCORES,))
    tolerance: float = option(1e-3, "largest relative residual that counts as converged", above=0.0)
    max_iterations: int = option(200, "Hessian-vector products after which to give up", minimum=1)

    def of(self, problem: Problem) -> Result:
        score = SCORES[self.which]
        found = self.find(problem)
        values = [pair.value for pair in found.pairs]
        details = {
            **common_details(problem),
            "k": self.k,
            "which": self.which,
            "values": values,
            "residuals": [pair.residual for pair in found.pairs],
            "ratio": score(values[0]) / score(values[-1]) if len(values) == self.k and score(values[-1]) > 0 else None,
            "starts": found.starts,
            **cost(found.products),
            "tolerance": self.tolerance,
            "max_iterations": self.max_iterations,
        }
        return Result(values[0] if values else math.nan, converged=found.converged, details=details)

    def find(self, problem: Problem) -> Leading:
        """The eigenpairs themselves."""
        return leading_eigenvalues(
            krylov_space(problem, hessian(problem)),
            lambda number: start_vector(problem, number),
            k=self.k,
            score=SCORES[self.which],
            tolerance=self.tolerance,
            max_products=self.max_iterations,
        )
