"""Each rule against a plain twin, and against an independent package where that has the same rule."""

from typing import Any

import pytest
import torch
from pytorch_optimizer import SAM as IndependentSAM
from torch import Tensor, nn
from twins import CheckTwin, ClosureOf, Pairs, Point

import samcli.optim
from samcli.optim import BASES


def norm(x: Tensor) -> Tensor:
    return torch.linalg.vector_norm(x)


@pytest.mark.parametrize("base", list(BASES))
@pytest.mark.parametrize("p", [2.0, float("inf"), 3.0])
def test_sam_is_its_plain_twin(check_twin: CheckTwin, p: float, base: str) -> None:
    rho = 0.05 if p == 2.0 else 0.01

    def rule(point: Point) -> Tensor:
        g = point.grad(point.w)
        if p == float("inf"):
            return point.grad(point.w + rho * g.sign())
        q = p / (p - 1)
        size = g.abs() ** (q - 1)
        return point.grad(point.w + rho * g.sign() * size / (g.abs() ** q).sum() ** (1 / p))

    check_twin("sam", rule, base, rho=rho, norm=p)


@pytest.mark.parametrize("base", list(BASES))
@pytest.mark.parametrize("p", [2.0, float("inf")])
def test_asam_is_its_plain_twin(check_twin: CheckTwin, p: float, base: str) -> None:
    rho = 0.5 if p == 2.0 else 0.01

    def rule(point: Point) -> Tensor:
        g, t = point.grad(point.w), torch.ones_like(point.w)
        for name, place in point.names.items():
            if "weight" in name:
                t[place] = point.w[place].abs() + 0.01
        if p == float("inf"):
            return point.grad(point.w + rho * t * (t * g).sign())
        return point.grad(point.w + rho * t * t * g / norm(t * g))

    check_twin("asam", rule, base, rho=rho, norm=p)


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


def plain_net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.Tanh(), nn.Linear(16, 3))


def run_ours(batches: Pairs, closure_of: ClosureOf, variant: str, rho: float, **options: Any) -> nn.Module:
    model = plain_net()
    base = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    optimizer = samcli.optim.build(variant, base, model=model, rho=rho, **options)
    for batch in batches:
        optimizer.step(closure_of(model, batch))
    return model


def run_independent(batches: Pairs, closure_of: ClosureOf, rho: float) -> nn.Module:
    model = plain_net()
    optimizer = IndependentSAM(model.parameters(), base_optimizer=torch.optim.SGD, rho=rho, lr=0.1, momentum=0.9)
    for batch in batches:
        closure = closure_of(model, batch)
        closure()
        optimizer.first_step(zero_grad=True)
        closure()
        optimizer.second_step(zero_grad=True)
    return model


def test_sam_agrees_with_an_independent_package(batches: Pairs, closure_of: ClosureOf) -> None:
    """Without BatchNorm and dropout, which that package leaves to its user; fp32 over 20 steps."""
    ours, theirs = run_ours(batches, closure_of, "sam", 0.05), run_independent(batches, closure_of, 0.05)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)
    other = run_ours(batches, closure_of, "sam", 0.06)
    assert any((a - b).abs().max() > 1e-4 for a, b in zip(ours.parameters(), other.parameters(), strict=True))


def test_asam_on_equal_weights_is_sam() -> None:
    """With |w| = 1 everywhere and η = 0 the scaling T is the identity."""
    results = []
    for variant, options in (("sam", {}), ("asam", {"eta": 0.0})):
        model = nn.Linear(3, 1, bias=False)
        nn.init.ones_(model.weight)
        optimizer = samcli.optim.build(
            variant, torch.optim.SGD(model.parameters(), lr=0.1), model=model, rho=0.2, **options
        )

        def closure(model: nn.Module = model) -> Tensor:
            model.zero_grad()
            loss = model(torch.tensor([[1.0, 2.0, 3.0]])).square().sum()
            loss.backward()
            return loss

        optimizer.step(closure)
        results.append(model.weight.detach().clone())
    torch.testing.assert_close(*results)


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
