"""The largest loss in a neighbourhood of the parameters, from below, by projected gradient ascent.

The step sizes are those of APGD: F. Croce, M. Hein, "Reliable Evaluation of Adversarial Robustness with an Ensemble of
Diverse Parameter-free Attacks" (ICML 2020, algorithm 1), there for perturbed inputs. M. Andriushchenko, F. Croce,
M. Müller, M. Hein, N. Flammarion, "A Modern Look at the Relationship between Sharpness and Generalization" (ICML 2023)
perturb weights by it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from samcli.apgd import ENOUGH_RISES, MOMENTUM, checkpoints
from samcli.sharpness.measures._ball import Ball
from samcli.sharpness.problem import Problem
from samcli.weights.geometry import global_norm

SETTLED = 0.01  # relative gain of the last quarter of the steps below which an ascent has settled


@dataclass(frozen=True)
class BestPoint:
    """The best point of an ascent.

    Attributes:
        gain: L(w + T u) - L(w), which is never negative; NaN if a loss or a gradient on the way was not finite.
        earlier: the best gain before the last quarter of the steps.
        position: u.
        radius: ρ of the ball.
        passes: forward and backward passes over the data, each counted as one, that of L(w) included.
    """

    gain: float
    earlier: float
    position: list[Tensor]
    radius: float
    passes: int

    @property
    def settled(self) -> bool:
        """Whether the last quarter of the steps added less than 1 % of the gain."""
        return settled(self.gain, self.earlier)


@dataclass(frozen=True)
class _Point:
    """A position u, with the gain and its gradient there."""

    position: list[Tensor]
    gain: float
    gradient: list[Tensor]


def settled(gain: float, earlier: float) -> bool:
    """Whether an ascent gained less than 1 % in the last quarter of its steps.

    >>> settled(gain=1.0, earlier=0.995), settled(gain=1.0, earlier=0.9)
    (True, False)
    """
    return gain - earlier <= SETTLED * gain


def climb(
    problem: Problem,
    ball: Ball,
    *,
    steps: int,
    restarts: int,
    generator: torch.Generator,
    known: BestPoint | None = None,
) -> BestPoint:
    """The best point that `restarts` ascents of `steps` steps each find in a ball.

    The first ascent starts from the best of: the parameters themselves; the one-step point; the `known` point and its
    extension to the border. If the gradient there is exactly zero, it starts from a random point of the ball instead.
    All these points count, so the gain is at least zero, that of the one-step point, and that of the known one. Each
    further ascent starts from a random point.

    Args:
        problem: its loss is climbed; the parameters come back bit for bit.
        ball: where ε may be.
        steps: gradient steps of one ascent.
        restarts: the number of ascents.
        generator: draws the random points.
        known: the best point of a smaller ball of the same T and norm.

    >>> model = torch.nn.Linear(1, 1, bias=False)
    >>> _ = torch.nn.init.ones_(model.weight)
    >>> problem = Problem(model, torch.nn.functional.mse_loss, [(torch.ones(2, 1), torch.zeros(2, 1))], seed=0)
    >>> best = climb(problem, Ball(0.5), steps=4, restarts=1, generator=torch.Generator())
    >>> best.gain, best.position  # of w² around 1
    (1.25, [tensor([[0.5000]])])
    """
    surface = _Surface(problem, ball)
    try:
        best = start = _start(surface, known)
        earlier = start.gain
        for number in range(restarts):
            if number > 0 or not bool(global_norm(start.gradient)):
                start = surface.point(ball.random(problem.parameters, generator))
            top, before = _ascend(surface, start, steps)
            best, earlier = max(best, top, key=_gain), max(earlier, before)
    except FloatingPointError:
        return BestPoint(math.nan, math.nan, [], ball.radius, surface.passes)
    return BestPoint(best.gain, earlier, best.position, ball.radius, surface.passes)


class _Surface:
    """L(w + T u) - L(w) and its gradient in u, with a count of the passes over the data."""

    def __init__(self, problem: Problem, ball: Ball) -> None:
        self.problem, self.ball = problem, ball
        self.base, gradient = problem.loss_and_gradient
        self.gradient = ball.scaled(gradient)
        self.passes = 2

    def gain(self, position: list[Tensor]) -> float:
        self.passes += 1
        return _finite(self.problem.loss_at(self.ball.scaled(position)) - self.base)

    def point(self, position: list[Tensor]) -> _Point:
        self.passes += 2
        loss, gradient = self.problem.loss_and_gradient_at(self.ball.scaled(position))
        gradient = self.ball.scaled(gradient)
        _finite(float(global_norm(gradient)))
        return _Point(position, _finite(loss - self.base), gradient)


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise FloatingPointError("The loss or its gradient is not finite in the ball.")
    return value


def _gain(point: _Point) -> float:
    return point.gain


def _start(surface: _Surface, known: BestPoint | None) -> _Point:
    ball = surface.ball
    _finite(surface.base)
    _finite(float(global_norm(surface.gradient)))
    origin = [torch.zeros_like(part) for part in surface.gradient]
    one_step = ball.steepest(surface.gradient, ball.radius)
    candidates = [(0.0, origin), (surface.gain(one_step), one_step)]
    if known is not None:
        extended = ball.projected(list(torch._foreach_mul(known.position, ball.radius / known.radius)))
        candidates += [(known.gain, known.position), (surface.gain(extended), extended)]
    gain, position = max(candidates, key=lambda candidate: candidate[0])
    # with its gain as it was first computed: a forward pass without a gradient may round differently
    return _Point(position, gain, surface.point(position).gradient)


def _ascend(surface: _Surface, start: _Point, steps: int) -> tuple[_Point, float]:
    """The best point of one ascent, and the best gain before the last quarter of its steps.

    At a checkpoint the step is halved if too few of the steps since the last one gained, or if neither the best gain
    nor the step has changed. The ascent then goes on from the best point, with its gradient and without momentum.
    """
    ball, step = surface.ball, 2.0 * surface.ball.radius
    best, here, previous = start, start, start.position
    marks, last_mark, mark_gain, was_cut = checkpoints(steps), 0, start.gain, False
    earlier, rises = start.gain, 0
    for k in range(1, steps + 1):
        goal = ball.projected(list(torch._foreach_add(here.position, ball.steepest(here.gradient, step))))
        reached = surface.point(_with_momentum(ball, goal, here.position, previous) if k > 1 else goal)
        rises += reached.gain > here.gain
        previous, here = here.position, reached
        best = max(best, here, key=_gain)
        if k == steps - math.ceil(steps / 4):
            earlier = best.gain
        if k in marks:
            was_cut = rises < ENOUGH_RISES * (k - last_mark) or (not was_cut and best.gain == mark_gain)
            if was_cut:
                step, here, previous = step / 2, best, best.position
            last_mark, mark_gain, rises = k, best.gain, 0
    return best, earlier


def _with_momentum(ball: Ball, goal: list[Tensor], here: list[Tensor], previous: list[Tensor]) -> list[Tensor]:
    moved = torch._foreach_lerp(here, goal, MOMENTUM)
    inertia = torch._foreach_sub(here, previous)
    return ball.projected(list(torch._foreach_add(moved, inertia, alpha=1.0 - MOMENTUM)))
