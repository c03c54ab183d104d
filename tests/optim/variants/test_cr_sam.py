"""CR-SAM against a plain twin and SAM."""

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
        e = 0.1 * g / g.norm()
        above, below = point.grad(point.w + e), point.grad(point.w - e)
        return above + 0.2 * (above + below - 2 * g) + 0.03 * (above - below)

    check_twin("cr-sam", rule, base, rho=0.1, gamma=0.2, beta=0.03)


def test_without_weights_is_sam(check_twin: CheckTwin) -> None:
    def rule(point: Point) -> Tensor:
        g = point.grad(point.w)
        return point.grad(point.w + 0.1 * g / g.norm())

    check_twin("cr-sam", rule, rho=0.1, gamma=0.0, beta=0.0)


def test_three_passes_on_either_side() -> None:
    weight, points = nn.Parameter(torch.tensor([1.0, -2.0, 0.5])), []
    optimizer = samcli.optim.build("cr-sam", torch.optim.SGD([weight], lr=0.1), rho=0.25)

    def closure() -> Tensor:
        optimizer.zero_grad()
        points.append(weight.detach().clone())
        loss = (weight**4).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    w, above, below = points
    torch.testing.assert_close(above - w, w - below)
    assert (above - w).norm().item() == pytest.approx(0.25, rel=1e-6)
