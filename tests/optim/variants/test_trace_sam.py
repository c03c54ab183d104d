"""Trace-SAM against a plain twin, and the sphere it draws from."""

import pytest
import torch
from torch import Tensor, nn
from twins import CheckTwin, Point

import samcli.optim
from samcli.optim import BASES


@pytest.mark.parametrize("base", list(BASES))
@pytest.mark.parametrize(("n", "lam"), [(1, 1.0), (3, 2.5)])
def test_is_its_plain_twin(check_twin: CheckTwin, base: str, n: int, lam: float) -> None:
    def rule(point: Point) -> Tensor:
        g, total = point.grad(point.w), torch.zeros_like(point.w)
        for _ in range(n):
            z = point.noise()
            total += point.grad(point.w + 0.5 * z / z.norm())
        return g + lam * (total / n - g)

    check_twin("trace-sam", rule, base, rho=0.5, lam=lam, n=n)


def test_without_weight_is_the_base(check_twin: CheckTwin) -> None:
    check_twin("trace-sam", lambda point: point.grad(point.w), rho=0.5, lam=0.0)


def test_looks_around_on_a_sphere() -> None:
    weights = [nn.Parameter(torch.ones(50, dtype=torch.float64)) for _ in range(2)]
    optimizer, points = samcli.optim.build("trace-sam", torch.optim.SGD(weights, lr=0.0), rho=0.25, n=3), []

    def closure() -> Tensor:
        optimizer.zero_grad()
        points.append(torch.cat(weights).detach().clone())
        loss = torch.cat(weights).square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    offsets = [point - points[0] for point in points[1:]]
    assert [e.norm().item() for e in offsets] == pytest.approx([0.25] * 3)  # over all parameters together
    assert (offsets[0] @ offsets[1]).abs() < 0.5 * 0.25**2  # another draw each time
