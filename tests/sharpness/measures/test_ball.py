"""Points of the neighbourhoods: their lengths, projections and draws."""

import math

import pytest
import torch

from samcli.sharpness.measures._ball import Ball

SHAPES = [torch.zeros(3, 2), torch.zeros(4)]
BALLS = [
    Ball(0.5),
    Ball(0.5, math.inf),
    Ball(0.5, 2.0, [torch.full((3, 2), 0.3), torch.zeros(4)]),
    Ball(0.5, 2.0, [torch.tensor(2.0), torch.tensor(0.0)], by_tensor=True),
]


@pytest.mark.parametrize("ball", BALLS)
def test_points_of_a_ball(ball: Ball) -> None:
    generator = torch.Generator().manual_seed(0)
    for _ in range(50):
        assert ball.length(ball.random(SHAPES, generator)) <= 0.5 * (1 + 1e-6)  # fp32
        outside = [3 * torch.randn(t.shape, generator=generator) for t in SHAPES]
        inside = ball.projected(outside)
        assert ball.length(inside) <= 0.5 * (1 + 1e-6)
        # a point inside is its own projection, up to the rounding of its length
        for part, again in zip(inside, ball.projected(inside), strict=True):
            torch.testing.assert_close(part, again, rtol=1e-6, atol=0)
        # the nearest point: no other one of the ball makes an acute angle with what was cut off
        other = ball.random(SHAPES, generator)
        cut = [o - i for o, i in zip(outside, inside, strict=True)]
        turn = sum(float((c * (x - i)).sum()) for c, x, i in zip(cut, other, inside, strict=True))
        assert turn <= 1e-5
    assert ball.projected([torch.zeros(3, 2), torch.zeros(4)])[0].tolist() == torch.zeros(3, 2).tolist()


def test_random_points_are_uniform() -> None:
    """In two dimensions the square of the relative distance is uniform; in a box every coordinate is."""
    generator = torch.Generator().manual_seed(1)
    points = torch.stack([Ball(2.0).random([torch.zeros(2)], generator)[0] for _ in range(2000)])
    shares = (points.square().sum(1) / 4).sort().values
    boxes = torch.stack([Ball(2.0, math.inf).random([torch.zeros(2)], generator)[0] for _ in range(2000)])
    for sample in (shares, (boxes[:, 0].sort().values + 2) / 4):
        # Kolmogorov's statistic; its 0.1 % quantile is 1.95/√n
        assert float((sample - torch.linspace(0, 1, 2000)).abs().max()) < 1.95 / math.sqrt(2000)
    assert abs(float(points.mean())) < 4 * 1.0 / math.sqrt(4000)


@pytest.mark.parametrize("ball", BALLS)
def test_the_steepest_step_gains_most(ball: Ball) -> None:
    """To first order, of all steps of its length."""
    generator = torch.Generator().manual_seed(2)
    gradient = [torch.randn(t.shape, generator=generator) for t in SHAPES]

    def gain(step: list[torch.Tensor]) -> float:
        return sum(float((s * g).sum()) for s, g in zip(step, gradient, strict=True))

    best = ball.steepest(gradient, 0.5)
    assert ball.length(best) == pytest.approx(0.5, rel=1e-6)
    assert all(gain(ball.random(SHAPES, generator)) < gain(best) for _ in range(50))
    assert not any(part.any() for part in ball.steepest([torch.zeros_like(t) for t in SHAPES], 0.5))


def test_scales_take_u_to_epsilon() -> None:
    u = [torch.ones(3, 2), torch.ones(4)]
    assert all(map(torch.equal, Ball(1.0).scaled(u), u))
    half, none = BALLS[2].scaled(u)
    assert torch.equal(half, torch.full((3, 2), 0.3))
    assert torch.equal(none, torch.zeros(4))
