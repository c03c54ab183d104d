"""The ascent against maxima that are known in closed form."""

import itertools
import math
from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor, nn

from samcli.sharpness.measures._ascent import BestPoint, climb
from samcli.sharpness.measures._ball import Ball
from samcli.sharpness.problem import Problem


class Surface(nn.Module):
    """A function of a parameter vector alone, as the output for every example."""

    def __init__(self, function: Callable[[Tensor], Tensor], at: Sequence[float]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(at, dtype=torch.float64))
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self.weight).expand(len(x))


def surface(function: Callable[[Tensor], Tensor], at: Sequence[float]) -> Problem:
    return Problem(Surface(function, at), lambda output, target: output.mean(), [(torch.zeros(3), torch.zeros(3))], 0)


def search(
    problem: Problem, ball: Ball, steps: int = 20, restarts: int = 1, known: BestPoint | None = None
) -> BestPoint:
    generator = torch.Generator().manual_seed(0)
    return climb(problem, ball, steps=steps, restarts=restarts, generator=generator, known=known)


def matrix(eigenvalues: list[float]) -> Tensor:
    n = len(eigenvalues)
    q, _ = torch.linalg.qr(torch.randn(n, n, generator=torch.Generator().manual_seed(0), dtype=torch.float64))
    return (q * torch.tensor(eigenvalues, dtype=torch.float64)) @ q.T


@pytest.mark.parametrize("rho", [1e-3, 2.0])
def test_quadratic_at_its_minimum(rho: float) -> None:
    """The maximum is ρ² λ_max / 2; the gradient at the start is zero, so that the one-step value is zero."""
    a = matrix([5.0, 2.0, 1.0, 0.5, 0.0, 0.0])
    problem = surface(lambda v: 0.5 * v @ a @ v, [0.0] * 6)
    found = search(problem, Ball(rho), steps=60)
    # linear convergence of the direction, at least by 2/5 in two steps; the value's error is its square
    assert found.gain == pytest.approx(2.5 * rho**2, rel=1e-6)
    assert found.settled


def test_indefinite_quadratic_with_a_gradient() -> None:
    """The maximum over the sphere is that of the trust-region problem, found here by its secular equation."""
    eigenvalues = [3.0, 1.0, -2.0, -8.0]
    a, g, rho = matrix(eigenvalues), torch.tensor([0.3, -0.2, 0.5, 0.1], dtype=torch.float64), 0.7
    low, high = 3.0, 100.0
    identity = torch.eye(4, dtype=torch.float64)
    for _ in range(100):
        middle = (low + high) / 2
        too_long = torch.linalg.solve(middle * identity - a, g).norm() > rho
        low, high = (middle, high) if too_long else (low, middle)
    best = torch.linalg.solve(high * identity - a, g)
    expected = float(g @ best + 0.5 * best @ a @ best)
    problem = surface(lambda v: g @ v + 0.5 * v @ a @ v, [0.0] * 4)
    assert search(problem, Ball(rho), steps=100).gain == pytest.approx(expected, rel=1e-6)


def test_convex_quadratic_in_a_box() -> None:
    """The maximum is at a corner: all of them are tried."""
    a, rho = matrix([4.0, 3.0, 2.0, 1.0, 0.5, 0.1]), 0.3
    g = torch.linspace(-0.2, 0.3, 6, dtype=torch.float64)

    def function(v: Tensor) -> Tensor:
        return g @ v + 0.5 * v @ a @ v

    corners = torch.tensor(list(itertools.product([-rho, rho], repeat=6)), dtype=torch.float64)
    expected = max(float(function(corner)) for corner in corners)
    problem = surface(function, [0.0] * 6)
    assert search(problem, Ball(rho, math.inf)).gain <= expected + 1e-12
    assert search(problem, Ball(rho, math.inf), restarts=10).gain == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("norm", [2.0, math.inf])
def test_maximum_inside_the_ball(norm: float) -> None:
    """Steps of the first size, 2 ρ, would jump over it for ever: they have to shrink, and go on from the best point."""
    top = torch.tensor([0.31, -0.17], dtype=torch.float64)
    problem = surface(lambda v: top @ top - (v - top) @ (v - top), [0.0, 0.0])
    found = search(problem, Ball(1.0, norm), steps=100)
    # normalised steps near a maximum end within the last step size: 2 ρ halved about 7 times
    assert found.gain == pytest.approx(float(top @ top), rel=1e-3)
    assert found.gain <= float(top @ top)


def test_a_cut_of_the_step_goes_back_to_the_best_point() -> None:
    """After the fifth of 20 steps the step is halved to ρ; the next one starts from the best point, at rest."""
    top = torch.tensor([0.31, -0.17], dtype=torch.float64)
    visited: list[Tensor] = []

    def function(v: Tensor) -> Tensor:
        visited.append(v.detach().clone())
        return -(v - top) @ (v - top)

    search(surface(function, [0.0, 0.0]), Ball(1.0), steps=20)
    before = visited[:-15]  # the parameters, the one-step point, the start, five steps
    assert len(before) == 8
    distances = [float((v - top).norm()) for v in before]
    best = before[distances.index(min(distances))]
    assert min(distances) < distances[-1]
    goal = best + (top - best) / (top - best).norm()
    goal = goal / goal.norm().clamp(min=1.0)
    torch.testing.assert_close(visited[8], best + 0.75 * (goal - best), rtol=1e-12, atol=1e-12)


def test_maximum_at_the_parameters() -> None:
    """Every other point is lower: the gain is zero, not negative."""
    for restarts in (1, 3):
        found = search(surface(lambda v: -(v @ v), [0.0, 0.0]), Ball(1.0), restarts=restarts)
        assert found.gain == 0.0
        assert found.position[0].tolist() == [0.0, 0.0]
        assert found.settled


def test_restarts_leave_a_local_maximum() -> None:
    """From w the ascent goes along the first coordinate to the low hill; a random start reaches the high one."""

    def hills(v: Tensor) -> Tensor:
        return torch.exp(-20 * (v[0] - 0.5) ** 2) + 3 * torch.relu(v[1].abs() - 0.1)

    problem = surface(hills, [0.0, 0.0])
    alone = search(problem, Ball(1.0), steps=40).gain
    restarted = search(problem, Ball(1.0), steps=40, restarts=8).gain
    assert alone == pytest.approx(1.0 - math.exp(-5), rel=1e-2)
    assert restarted > 2.0
    assert restarted >= alone


def test_still_climbing_is_not_settled() -> None:
    a = torch.diag(torch.linspace(0.0, 1.0, 20, dtype=torch.float64))
    problem = surface(lambda v: v @ a @ v, [0.0] * 20)
    assert not search(problem, Ball(1.0), steps=4).settled
    assert search(problem, Ball(1.0), steps=100).settled


def test_known_point_is_a_start() -> None:
    """A known point in a smaller ball, and its extension to the border, count."""
    a = matrix([5.0, 4.9, 1.0])
    problem = surface(lambda v: 0.5 * v @ a @ v, [0.0] * 3)
    small = search(problem, Ball(0.5), steps=200)
    large = search(problem, Ball(1.0), steps=1, known=small)
    assert large.gain >= 4 * small.gain * (1 - 1e-12)
    assert search(problem, Ball(1.0), steps=1).gain < 0.99 * large.gain


def test_passes_are_counted() -> None:
    class Counting(Problem):
        passes = 0

        def loss_at(self, epsilon: Sequence[Tensor] | None = None) -> float:
            self.passes += 1
            return super().loss_at(epsilon)

        def loss_and_gradient_at(self, epsilon: Sequence[Tensor]) -> tuple[float, list[Tensor]]:
            self.passes += 2
            return super().loss_and_gradient_at(epsilon)

    model = Surface(lambda v: v.sum(), [1.0, 2.0])
    problem = Counting(model, lambda output, target: output.mean(), [(torch.zeros(3), torch.zeros(3))], 0)
    found = search(problem, Ball(1.0), steps=5, restarts=2)
    assert found.passes == problem.passes + 2  # and the two at the parameters
    assert found.passes <= 2 * 2 * (5 + 1) + 3


def test_not_finite_in_the_ball() -> None:
    found = search(surface(lambda v: torch.log(1.0 + v[0]), [0.0]), Ball(3.0))
    assert found.gain > 0  # the logarithm is finite where it is climbed to
    found = search(surface(lambda v: 1.0 / torch.relu(1.0 - v[0]), [0.0]), Ball(3.0))
    assert math.isnan(found.gain)
    assert not found.settled
