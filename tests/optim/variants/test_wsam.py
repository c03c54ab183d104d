"""WSAM against a plain twin, an independent package, SAM and the base optimizer."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from pytorch_optimizer import WSAM as IndependentWSAM
from torch import Tensor, nn
from twins import CheckTwin, Pairs, Point

import samcli.optim
from samcli.optim import BASES


def sam(point: Point, g: Tensor) -> Tensor:
    return point.grad(point.w + 0.05 * g / g.norm())


@pytest.mark.parametrize("base", list(BASES))
def test_decoupled_is_its_plain_twin(check_twin: CheckTwin, base: str) -> None:
    def rule(point: Point) -> Tensor:
        g = point.grad(point.w)
        point.displacement = -point.lr * 0.8 / (1 - 0.8) * (sam(point, g) - g)
        return g

    check_twin("wsam", rule, base, rho=0.05, gamma=0.8)


@pytest.mark.parametrize("base", list(BASES))
def test_coupled_is_its_plain_twin(check_twin: CheckTwin, base: str) -> None:
    def rule(point: Point) -> Tensor:
        g, a = point.grad(point.w), 0.8 / (1 - 0.8)
        return a * sam(point, g) + (1 - a) * g

    check_twin("wsam", rule, base, rho=0.05, gamma=0.8, coupled=True)


def test_coupled_with_half_is_sam(check_twin: CheckTwin) -> None:
    check_twin("wsam", lambda point: sam(point, point.grad(point.w)), rho=0.05, gamma=0.5, coupled=True)


@pytest.mark.parametrize("coupled", [False, True])
def test_without_weight_is_the_base(check_twin: CheckTwin, coupled: bool) -> None:
    check_twin("wsam", lambda point: point.grad(point.w), rho=0.05, gamma=0.0, coupled=coupled)


@pytest.mark.parametrize("coupled", [False, True])
def test_agrees_with_an_independent_package(batches: Pairs, closure_of: Callable[..., Any], coupled: bool) -> None:
    models = []
    for ours in (True, False):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.Tanh(), nn.Linear(16, 3))
        if ours:
            base = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
            optimizer: Any = samcli.optim.build("wsam", base, model=model, rho=0.05, gamma=0.7, coupled=coupled)
        else:
            optimizer = IndependentWSAM(
                model, model.parameters(), torch.optim.SGD, rho=0.05, gamma=0.7, decouple=not coupled, lr=0.05,
                momentum=0.9,
            )  # fmt: skip
        for batch in batches:
            optimizer.step(closure_of(model, batch))
        models.append(model)
    for a, b in zip(models[0].parameters(), models[1].parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


def test_each_group_pushes_at_its_own_learning_rate() -> None:
    weights = [nn.Parameter(torch.tensor([value])) for value in (1.0, 2.0)]
    base = torch.optim.SGD([{"params": weights[:1], "lr": 0.1}, {"params": weights[1:], "lr": 0.01}])
    optimizer = samcli.optim.build("wsam", base, rho=0.5, gamma=0.9)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = 0.5 * (weights[0] ** 2 + weights[1] ** 2).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    # the gradient is w, so g_SAM - g = ε = 0.5 w/‖w‖; a = 9
    for weight, w, lr in zip(weights, (1.0, 2.0), (0.1, 0.01), strict=True):
        assert weight.item() == pytest.approx(w - lr * w - 9 * lr * 0.5 * w / 5**0.5, rel=1e-6)


def scaled_steps(coupled: bool, scaler: torch.amp.GradScaler | None, factors: list[float]) -> list[Tensor]:
    """The weights after each step, for losses multiplied with these factors."""
    weight = nn.Parameter(torch.tensor([1.0, 2.0]))
    optimizer = samcli.optim.build("wsam", torch.optim.SGD([weight], lr=0.1), coupled=coupled)
    after = []
    for factor in factors:

        def closure(factor: float = factor) -> Tensor:
            weight.grad = None
            loss = factor * weight.square().sum()
            (scaler.scale(loss) if scaler else loss).backward()
            return loss

        optimizer.step(closure, scaler)
        after.append(weight.detach().clone())
    return after


@pytest.mark.parametrize("coupled", [True, False])
def test_loss_scale_changes_nothing(coupled: bool) -> None:
    """Until something overflows, which then skips the sharpness term with the base's step."""
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    plain, scaled = scaled_steps(coupled, None, [1.0]), scaled_steps(coupled, scaler, [1.0, float("inf")])
    assert torch.equal(plain[0], scaled[0])
    assert torch.equal(scaled[0], scaled[1])
    assert scaler.get_scale() == 512.0
