"""Random perturbations: their distribution, their scales, and that a seed decides them."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from samcli.sharpness import Problem
from samcli.sharpness.measures._noise import gaussian, uniform

Draw = Callable[[Problem, torch.Generator, float, list[Tensor] | None], list[Tensor]]


def problem() -> Problem:
    data = [(torch.ones(2, 100), torch.ones(2, 40))]
    return Problem(nn.Linear(100, 40), nn.functional.mse_loss, data, seed=0)


@pytest.mark.parametrize(("draw", "spread"), [(gaussian, 1.0), (uniform, 1 / math.sqrt(3))])
def test_moments(draw: Draw, spread: float) -> None:
    """Of 4000 numbers, within four standard errors: 1/√n of the mean, at most 1/√(2n) of the deviation."""
    where = problem()
    weight, bias = draw(where, where.generator("test"), 0.1, None)
    assert (weight.shape, bias.shape) == ((40, 100), (40,))
    assert abs(float(weight.mean())) < 4 * 0.1 * spread / math.sqrt(4000)
    assert float(weight.std()) == pytest.approx(0.1 * spread, rel=4 / math.sqrt(8000))
    if draw is uniform:
        assert 0.0999 < float(weight.abs().max()) <= 0.1


@pytest.mark.parametrize("draw", [gaussian, uniform])
def test_scales_and_size_multiply_the_same_draw(draw: Draw) -> None:
    where = problem()
    scales = [torch.linspace(0.0, 1.0, 4000).view(40, 100), torch.full((40,), 2.0)]

    def noise(size: float, scales: list[Tensor] | None) -> list[Tensor]:
        return draw(where, where.generator("test"), size, scales)

    for plain, scaled, scale in zip(noise(1.0, None), noise(0.25, scales), scales, strict=True):
        torch.testing.assert_close(scaled, 0.25 * plain * scale, rtol=1e-6, atol=0)
