"""The Fisher-Rao norm of the parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from samcli.double import in_double
from samcli.sharpness.base import MEASURES, Measure, common_details
from samcli.sharpness.measures._errors import error_of_mean
from samcli.sharpness.problem import Problem
from samcli.sharpness.result import Result


@MEASURES.register("fisher-rao")
@dataclass(frozen=True, kw_only=True)
class FisherRaoNorm(Measure):
    """(L + 1) √(mean of ⟨∂ℓ/∂f, f⟩²), f the outputs for an example and L the number of hidden layers.

    Liang, Poggio, Rakhlin and Stokes (AISTATS 2019, section 3), with the labels of the data. For a ReLU network without
    biases it is √(wᵀ F w) with the Fisher matrix F = mean of ∇ℓ ∇ℓᵀ, whatever the loss, because ⟨∇ℓ, w⟩ is then
    ⟨∂ℓ/∂f, f⟩ once for each layer. Rescaling layers changes nothing. With biases, normalisation or skip connections
    the formula is still computed, but it is not √(wᵀ F w).

    The factor L + 1 is kept, as it makes the value what it is called. It is taken to be the number of weight matrices
    that are perturbed, parameters of two or more dimensions (at least 1), and is in `details` as `layers`: the same for
    all networks of one architecture, and best divided out between architectures.

    It tells how large the outputs are where the loss still wants to change them, not what the loss does at a distance;
    a network that fits all examples with large margins has a tiny one. The method has no error of its own: `stderr` is
    `example_stderr`, as if the examples were drawn from a larger set, to first order. The cost: 1 forward pass.
    """

    def of(self, problem: Problem) -> Result:
        outputs, targets = problem.outputs()
        outputs = outputs.requires_grad_()
        losses = problem.output_losses(outputs, targets)
        if losses.requires_grad:
            (output_gradient,) = torch.autograd.grad(losses.sum(), outputs, allow_unused=True, materialize_grads=True)
        else:  # a loss that does not depend on the outputs
            output_gradient = torch.zeros_like(outputs)
        squares = (in_double(output_gradient) * in_double(outputs.detach())).flatten(1).sum(1).square()
        layers = max(1, sum(parameter.dim() >= 2 for parameter in problem.parameters))
        root, error = math.sqrt(float(squares.mean())), error_of_mean(squares)
        details = {
            **common_details(problem),
            "loss": float(in_double(losses.detach()).mean()),
            "layers": layers,
            "passes": 1,
        }
        if not math.isfinite(root):
            return Result(math.nan, converged=False, details=details)
        if error is not None:
            error = layers * error / (2 * root) if root > 0.0 else 0.0
        return Result(layers * root, error, details={**details, "probe_stderr": None, "example_stderr": error})
