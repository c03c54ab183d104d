"""Worst-case sharpness with a budget for each layer, relative to the length of its weights."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from samcli.registry import option
from samcli.sharpness.base import MEASURES, Measure, common_details
from samcli.sharpness.measures._ascent import climb
from samcli.sharpness.measures._ball import Ball
from samcli.sharpness.measures._errors import error_of_mean, example_differences
from samcli.sharpness.problem import Problem
from samcli.sharpness.result import Result


@MEASURES.register("worst-case-layerwise")
@dataclass(frozen=True, kw_only=True)
class LayerwiseWorstCase(Measure):
    """max of L(w + ε) - L(w) over ‖ε_l‖₂ ≤ ξ ‖w_l‖₂ for every layer l, from below, by projected gradient ascent.

    D. Stutz, M. Hein, B. Schiele, "Relating Adversarially Robust Generalization to Flat Minima" (ICCV 2021), the
    worst-case flatness, here of the plain loss. As in their code a layer is one parameter tensor, weights and biases
    apart, and normalisation layers are left alone. These are recognised by their shapes: what moves is a tensor with
    two or more dimensions, and the bias beside one. A tensor that is zero has no budget. Theirs is ξ = 0.003, plain
    ascent with 20 steps and 10 random starts, on 1000 examples; here it is the ascent of `worst-case`.

    Without biases, rescaling layers of a ReLU network changes nothing, for every layer has a budget of its own. The
    value is at least 0, and a lower bound. `stderr`, `converged` and `passes` are those of `worst-case`;
    `perturbation_norm` is the largest ‖ε_l‖/‖w_l‖, and `layers` the number of tensors that may move.
    """

    xi: float = option(0.003, "ξ, the length of a layer's perturbation relative to its weights", minimum=0.0)
    steps: int = option(20, "gradient steps of each ascent", minimum=1)
    restarts: int = option(1, "ascents; the first from the parameters, the others from random points", minimum=1)

    def of(self, problem: Problem) -> Result:
        lengths = _lengths(problem)
        ball = Ball(self.xi, 2.0, lengths, by_tensor=True)
        generator = problem.generator("worst-case-layerwise")
        found = climb(problem, ball, steps=self.steps, restarts=self.restarts, generator=generator)
        details = {
            **common_details(problem),
            "xi": self.xi,
            "steps": self.steps,
            "restarts": self.restarts,
            "layers": sum(bool(length > 0) for length in lengths),
            "loss": problem.loss_and_gradient[0],
            "passes": found.passes,
        }
        if math.isnan(found.gain):
            return Result(math.nan, converged=False, details=details)
        _, difference = example_differences(problem, ball.scaled(found.position))
        stderr = error_of_mean(difference)
        details |= {"passes": found.passes + 2, "example_stderr": stderr}
        details["perturbation_norm"] = ball.length(found.position)
        return Result(found.gain, stderr, found.settled, details)


def _lengths(problem: Problem) -> list[Tensor]:
    """‖w_l‖ of each tensor that may move, and zero for the others."""
    large = {name for name, parameter in zip(problem.names, problem.parameters, strict=True) if parameter.dim() > 1}
    return [
        torch.linalg.vector_norm(parameter.detach())
        if name in large or _beside(name) in large
        else torch.zeros((), dtype=parameter.dtype, device=parameter.device)
        for name, parameter in zip(problem.names, problem.parameters, strict=True)
    ]


def _beside(name: str) -> str:
    """The weight that a bias belongs to.

    >>> _beside("head.bias"), _beside("attention.in_proj_bias")
    ('head.weight', 'attention.in_proj_weight')
    """
    module, dot, last = name.rpartition(".")
    return f"{module}{dot}{last.replace('bias', 'weight')}"
