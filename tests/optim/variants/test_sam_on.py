"""SAM-ON against a plain twin and SAM; how it finds normalisation layers."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from twins import CheckResume, CheckTwin, Looks, Point

import samcli.optim
from samcli.errors import ConfigError
from samcli.optim import BASES


@pytest.mark.parametrize("base", list(BASES))
@pytest.mark.parametrize("p", [2.0, float("inf")])
@pytest.mark.parametrize("adaptive", [False, True])
def test_is_its_plain_twin(check_twin: CheckTwin, adaptive: bool, p: float, base: str) -> None:
    def rule(point: Point) -> Tensor:
        g, mask = point.grad(point.w), torch.zeros_like(point.w)
        mask[point.names["norm.weight"]] = mask[point.names["norm.bias"]] = 1.0
        t = point.w.abs() + 0.01 if adaptive else torch.ones_like(point.w)
        h = mask * t * g
        return point.grad(point.w + 0.2 * (t * h / h.norm() if p == 2.0 else t * h.sign()))

    check_twin("sam-on", rule, base, rho=0.2, norm=p, adaptive=adaptive)


def test_passes_and_radius(looks: Looks) -> None:
    first, epsilon = looks("sam-on", rho=0.4)[0]
    assert not first.any()
    assert (epsilon != 0).sum() <= 8
    assert epsilon.norm().item() == pytest.approx(0.4)
    assert torch.equal(looks("sam-on", rho=0.4, scale=8.0)[0][1], epsilon)


def test_layers_alone_are_sam() -> None:
    """In a network of nothing but normalisation, SAM-ON is SAM; their names in a `Sequential` tell nothing."""
    results = []
    for variant in ("sam", "sam-on"):
        model = nn.Sequential(nn.LayerNorm(4), nn.Sequential(nn.BatchNorm1d(4)), nn.RMSNorm(4), nn.GroupNorm(2, 4))
        optimizer = samcli.optim.build(variant, torch.optim.SGD(model.parameters(), lr=0.1), model=model, rho=0.3)
        inputs = torch.randn(8, 4, generator=torch.Generator().manual_seed(0))
        loss = nn.functional.cross_entropy
        optimizer.step(samcli.optim.Batch(model, loss, inputs, torch.arange(8) % 4))
        results.append(torch.cat([p.detach() for p in model.parameters()]))
    assert torch.equal(*results)


class LayerNorm2d(nn.Module):
    """A user's own."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(3))
        self.inner = nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(self.gain * x)


def test_own_layers_are_found_by_the_name_of_their_type() -> None:
    model = nn.Sequential(LayerNorm2d(), nn.Linear(3, 2))
    seen: list[tuple[bool, bool]] = []
    weights = [p.detach().clone() for p in model.parameters()]

    def closure() -> Tensor:
        model.zero_grad()
        loss = model(torch.tensor([[1.0, 2.0, 3.0]])).square().sum()
        loss.backward()
        moved = [not torch.equal(a, b) for a, b in zip(weights, model.parameters(), strict=True)]
        seen.append((moved[0], any(moved[1:])))
        return loss

    samcli.optim.build("sam-on", torch.optim.SGD(model.parameters(), lr=0.1), model=model).step(closure)
    assert seen == [(False, False), (True, False)]


def refused(network: nn.Module, **options: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        samcli.optim.build("sam-on", torch.optim.SGD(network.parameters(), lr=0.1), **options)
    return str(caught.value)


def test_needs_the_model_and_a_normalisation_layer() -> None:
    model = nn.Sequential(nn.Linear(3, 2))
    assert "pass model= to the optimizer" in refused(model)
    assert "no normalisation layer" in refused(model, model=model)


def test_resume(check_resume: CheckResume) -> None:
    check_resume("sam-on")
