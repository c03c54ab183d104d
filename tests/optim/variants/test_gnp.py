"""GNP against a plain twin, SAM and the base optimizer."""

import pytest
import torch
from torch import Tensor, nn
from twins import CheckTwin, Point

import samcli.optim
from samcli.optim import BASES


@pytest.mark.parametrize("base", list(BASES))
def test_is_its_plain_twin(check_twin: CheckTwin, base: str) -> None:
    def rule(point: Point) -> Tensor:
        g = point.grad(point.w)
        return (1 - 0.7) * g + 0.7 * point.grad(point.w + 0.05 * g / g.norm())

    check_twin("gnp", rule, base, rho=0.05, alpha=0.7)


def test_with_alpha_one_is_sam(check_twin: CheckTwin) -> None:
    def rule(point: Point) -> Tensor:
        g = point.grad(point.w)
        return point.grad(point.w + 0.05 * g / g.norm())

    check_twin("gnp", rule, rho=0.05, alpha=1.0)


def test_with_alpha_zero_is_the_base(check_twin: CheckTwin) -> None:
    check_twin("gnp", lambda point: point.grad(point.w), rho=0.05, alpha=0.0)


def test_descends_the_penalised_loss() -> None:
    """For a quadratic the finite difference is exact: the gradient of L + αρ‖∇L‖, by automatic differentiation."""
    curvature = torch.tensor([1.0, 3.0], dtype=torch.float64)

    def loss_at(w: Tensor) -> Tensor:
        return 0.5 * w.square() @ curvature

    weight = nn.Parameter(torch.tensor([2.0, -1.0], dtype=torch.float64))
    w = weight.detach().clone().requires_grad_()
    (loss_at(w) + 0.7 * 0.3 * (curvature * w).norm()).backward()
    optimizer = samcli.optim.build("gnp", torch.optim.SGD([weight], lr=1.0), rho=0.3, alpha=0.7)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = loss_at(weight)
        loss.backward()
        return loss

    optimizer.step(closure)
    torch.testing.assert_close(weight.detach(), w.detach() - w.grad)
