"""Micro-batches and weight decay in the ascent, against plain twins."""

import pytest
import torch
from torch import Tensor, nn
from twins import CheckTwin, Point

import samcli.optim


def norm(x: Tensor) -> Tensor:
    return torch.linalg.vector_norm(x)


@pytest.mark.parametrize("size", [4, 5, 16])
def test_micro_batches_are_perturbed_each_by_itself(check_twin: CheckTwin, size: int) -> None:
    def rule(point: Point) -> Tensor:
        total = torch.zeros_like(point.w)
        for start in range(0, 16, size):
            part = slice(start, min(start + size, 16))
            point._first = True
            g = point.grad(point.w, part)
            total += (part.stop - part.start) / 16 * point.grad(point.w + 0.05 * g / norm(g), part)
        return total

    check_twin("sam", rule, ascent={"m": size})


def test_ascent_with_weight_decay(check_twin: CheckTwin) -> None:
    def rule(point: Point) -> Tensor:
        g = point.grad(point.w) + 0.01 * point.w
        return point.grad(point.w + 0.05 * g / norm(g))

    check_twin("sam", rule, ascent={"ascent_weight_decay": True})


def test_weight_decay_only_descends() -> None:
    """SAM's ascent sees the gradient of the loss alone; the decay joins in the base optimizer's step."""
    weight = nn.Parameter(torch.tensor([1.0, -2.0]))
    optimizer = samcli.optim.build("sam", torch.optim.SGD([weight], lr=0.1, weight_decay=0.5), rho=0.3)
    direction = torch.tensor([3.0, 4.0])

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = 0.5 * (weight @ direction) ** 2
        loss.backward()
        return loss

    w = weight.detach().clone()
    optimizer.step(closure)
    # L = (w·d)²/2, g = (w·d) d, so ε = ρ sign(w·d) d/‖d‖ and g(w + ε) = (w·d + ρ sign(w·d) ‖d‖) d
    inner = w @ direction
    expected = w - 0.1 * ((inner + 0.3 * inner.sign() * 5.0) * direction + 0.5 * w)
    torch.testing.assert_close(weight.detach(), expected)
