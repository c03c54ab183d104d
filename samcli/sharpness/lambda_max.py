"""The largest eigenvalue of the Hessian."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from samcli.registry import option
from samcli.sharpness.base import MEASURES, Measure, circumstances
from samcli.sharpness.lanczos import largest_eigenvalue
from samcli.sharpness.problem import Problem
from samcli.sharpness.result import Result


@MEASURES.register("lambda-max")
@dataclass(frozen=True, kw_only=True)
class LambdaMax(Measure):
    """λ_max(∇²L(w)): the largest curvature in any direction, with its sign, by the Lanczos method.

    `details` holds the relative `residual`, the number of Hessian-vector `products`, and the `tolerance`; a value whose
    residual is above the tolerance has `converged` False. The error from measuring on a part of the data is larger
    than that of the method: compare values on the same examples.
    """

    tolerance: float = option(1e-3, "largest relative residual that counts as converged", above=0.0)
    max_iterations: int = option(100, "Hessian-vector products after which to give up", minimum=1)

    def of(self, problem: Problem) -> Result:
        # drawn on the CPU, so that the start is the same on every device
        generator = torch.Generator().manual_seed(problem.seed)
        like = problem.parameters[0]
        start = torch.randn(problem.dimension, generator=generator, dtype=like.dtype).to(like.device)
        found = largest_eigenvalue(
            problem.hessian_times, start, tolerance=self.tolerance, max_iterations=self.max_iterations
        )
        details = {
            **circumstances(problem),
            "residual": found.residual,
            "products": found.products,
            "tolerance": self.tolerance,
            "max_iterations": self.max_iterations,
        }
        return Result(found.value, converged=found.converged, details=details)
