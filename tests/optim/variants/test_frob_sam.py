"""Frob-SAM against a plain twin, and against the objective that it descends."""

import pytest
import torch
from torch import Tensor, nn
from twins import CheckTwin, Point

import samcli.optim
from samcli.optim import BASES


@pytest.mark.parametrize("base", list(BASES))
@pytest.mark.parametrize("n", [2, 4])
def test_is_its_plain_twin(check_twin: CheckTwin, base: str, n: int) -> None:
    def rule(point: Point) -> Tensor:
        g = point.grad(point.w)
        gradients, losses = [], []
        for _ in range(n):
            gradients.append(point.grad(point.w + 0.01 * point.noise()))
            losses.append(point.loss)
        mean, loss = sum(gradients) / n, sum(losses) / n
        covariance = sum((x - loss) * (h - mean) for x, h in zip(losses, gradients, strict=True)) / (n - 1)
        return g + 0.02 / 0.01**2 * covariance

    check_twin("frob-sam", rule, base, rho=0.01, lam=0.02, n=n)


def test_without_weight_is_the_base(check_twin: CheckTwin) -> None:
    check_twin("frob-sam", lambda point: point.grad(point.w), rho=0.01, lam=0.0)


def test_descends_the_penalised_loss_on_average() -> None:
    """L = wᵀAw/2: Var L(w + ρz) = ρ²‖Aw‖² + ρ⁴/2 ‖A‖²_F, so the penalty λ/(2ρ²) Var has the gradient λ A²w."""
    a = torch.tensor([1.0, 3.0], dtype=torch.float64)
    w = torch.tensor([2.0, -1.0], dtype=torch.float64)
    weight = nn.Parameter(w.clone())
    base = torch.optim.SGD([weight], lr=1.0)
    optimizer, calls = samcli.optim.build("frob-sam", base, rho=0.5, lam=0.1, n=40000), 0

    @torch.no_grad()
    def closure() -> Tensor:
        nonlocal calls
        calls += 1
        weight.grad = a * weight  # without autograd: there are many passes
        return 0.5 * weight.square() @ a

    optimizer.step(closure)
    assert calls == 40001
    # standard errors near 0.01
    torch.testing.assert_close(w - weight.detach(), a * w + 0.1 * a * a * w, rtol=0, atol=0.05)
