"""GSAM against a plain twin, an independent package, and SAM."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from pytorch_optimizer import GSAM as IndependentGSAM
from torch import Tensor, nn
from twins import CheckTwin, Pairs, Point

import samcli.optim
from samcli.optim import BASES


@pytest.mark.parametrize("base", list(BASES))
def test_is_its_plain_twin(check_twin: CheckTwin, base: str) -> None:
    def rule(point: Point) -> Tensor:
        g = point.grad(point.w)
        nearby = point.grad(point.w + 0.05 * g / g.norm())
        cosine = g @ nearby / (g.norm() * nearby.norm())
        orthogonal = g - cosine * g.norm() * nearby / nearby.norm()
        return nearby - 0.4 * orthogonal

    check_twin("gsam", rule, base, rho=0.05, alpha=0.4)


def test_without_alpha_is_sam(check_twin: CheckTwin) -> None:
    def rule(point: Point) -> Tensor:
        g = point.grad(point.w)
        return point.grad(point.w + 0.05 * g / g.norm())

    check_twin("gsam", rule, rho=0.05, alpha=0.0)


class Constant:
    """A schedule as the independent package wants it."""

    def step(self) -> float:
        return 0.05


def test_agrees_with_an_independent_package(batches: Pairs, closure_of: Callable[..., Any]) -> None:
    models = []
    for ours in (True, False):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.Tanh(), nn.Linear(16, 3))
        base = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        if ours:
            optimizer: Any = samcli.optim.build("gsam", base, model=model, rho=0.05, alpha=0.4)
        else:
            optimizer = IndependentGSAM(model.parameters(), base, model, Constant(), alpha=0.4)
        for batch in batches:
            with torch.enable_grad():
                if ours:
                    optimizer.step(closure_of(model, batch))
                else:
                    optimizer.set_closure(nn.functional.cross_entropy, *batch)
                    optimizer.step()
        models.append(model)
    for a, b in zip(models[0].parameters(), models[1].parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


def test_direction_does_not_depend_on_the_scale_of_the_loss() -> None:
    """The gradient scales with the loss, the perturbation does not: exact for a power of two."""
    seen = []
    for scale in (1.0, 1024.0):
        weight = nn.Parameter(torch.tensor([1.0, -2.0, 0.5]))
        optimizer = samcli.optim.build("gsam", torch.optim.SGD([weight], lr=0.125 / scale), rho=0.5)

        def closure(weight: nn.Parameter = weight, scale: float = scale) -> Tensor:
            weight.grad = None
            loss = scale * (weight.square() @ torch.tensor([1.0, 2.0, 3.0]))
            loss.backward()
            return loss

        optimizer.step(closure)
        seen.append(weight.detach().clone())
    assert torch.equal(*seen)
