"""GAM against a plain twin, and what its passes cost."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from twins import CheckTwin, Point

import samcli.optim
from samcli.optim import BASES


@pytest.mark.parametrize("base", list(BASES))
def test_is_its_plain_twin(check_twin: CheckTwin, base: str) -> None:
    def rule(point: Point) -> Tensor:
        g0 = point.grad(point.w)
        g1 = point.grad(point.w + 0.02 * g0 / g0.norm())
        h = g1 - g0
        near = point.w + 0.2 * h / h.norm()
        g2 = point.grad(near)
        g3 = point.grad(near + 0.02 * g2 / g2.norm())
        far, close = 0.7 * g1 + 0.3 * g3, g0 + 0.2 * g2
        along = far / far.norm()
        return far - 0.03 * (close - (close @ along) * along)

    check_twin("gam", rule, base, rho=0.2, r=0.02, alpha=0.7, beta=0.8, gamma=0.03)


def test_climbs_with_weight_decay(check_twin: CheckTwin) -> None:
    """In the two ascents along a gradient; the difference h stays that of the losses."""

    def rule(point: Point) -> Tensor:
        g0 = point.grad(point.w)
        up = g0 + 0.01 * point.w
        h = point.grad(point.w + 0.02 * up / up.norm()) - g0
        near = point.w + 0.2 * h / h.norm()
        g2 = point.grad(near)
        up = g2 + 0.01 * near
        far, close = 0.6 * (g0 + h) + 0.4 * point.grad(near + 0.02 * up / up.norm()), g0 + 0.5 * g2
        return far - 0.03 * (close - (close @ far) / (far @ far) * far)

    check_twin("gam", rule, ascent={"ascent_weight_decay": True}, rho=0.2, r=0.02, gamma=0.03)


def make(weight: nn.Parameter, points: list[Tensor]) -> Any:
    optimizer = samcli.optim.build("gam", torch.optim.SGD([weight], lr=0.1), rho=0.2, r=0.02)

    def closure() -> Tensor:
        optimizer.zero_grad()
        points.append(weight.detach().clone())
        loss = (weight**4).sum()
        loss.backward()
        return loss

    return optimizer, closure


def test_four_passes_at_their_radii() -> None:
    weight, points = nn.Parameter(torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)), []
    optimizer, closure = make(weight, points)
    optimizer.step(closure)
    w, *others = points
    assert len(others) == 3
    assert (others[0] - w).norm().item() == pytest.approx(0.02)
    assert (others[1] - w).norm().item() == pytest.approx(0.2)
    assert (others[2] - others[1]).norm().item() == pytest.approx(0.02)


def test_a_schedule_scales_both_radii() -> None:
    weight, points = nn.Parameter(torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)), []
    optimizer, closure = make(weight, points)
    optimizer.rho_factor = 0.5
    optimizer.step(closure)
    assert (points[1] - points[0]).norm().item() == pytest.approx(0.01)
    assert (points[2] - points[0]).norm().item() == pytest.approx(0.1)


def test_flat_gradient_gives_no_nan() -> None:
    """With a constant gradient h is zero."""
    weight = nn.Parameter(torch.tensor([1.0, 2.0]))
    optimizer = samcli.optim.build("gam", torch.optim.SGD([weight], lr=0.1))

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = weight @ torch.tensor([1.0, 0.0])
        loss.backward()
        return loss

    optimizer.step(closure)
    torch.testing.assert_close(weight.detach(), torch.tensor([0.9, 2.0]))
