"""Each rule against a plain twin, and against an independent package where that has the same rule."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from pytorch_optimizer import SAM as IndependentSAM
from torch import Tensor, nn

import samcli.optim
from samcli.optim import BASES

Closures = Callable[[nn.Module, Any], Callable[[], Tensor]]


def perturbation(rule: str, norm: float, rho: float, eta: float, named: dict[str, Tensor]) -> dict[str, Tensor]:
    """ε, written down from the papers, one tensor at a time."""
    scale = {
        n: (p.detach().abs() + eta if rule == "asam" and n.endswith("weight") else torch.ones_like(p))
        for n, p in named.items()
    }
    scaled = {n: scale[n] * p.grad for n, p in named.items()}
    if norm == float("inf"):
        return {n: rho * scale[n] * scaled[n].sign() for n in named}
    length = torch.cat([h.flatten() for h in scaled.values()]).norm()
    return {n: rho * scale[n] * scaled[n] / length for n in named}


def twin_step(rule: str, norm: float, rho: float, model: nn.Module, base: Any, closure: Callable[[], Tensor]) -> None:
    state = torch.get_rng_state()
    closure()
    after = torch.get_rng_state()
    named = {n: p for n, p in model.named_parameters() if p.grad is not None}
    epsilon = perturbation(rule, norm, rho, 0.01, named)
    weights = {n: p.detach().clone() for n, p in named.items()}
    buffers = {n: b.clone() for n, b in model.named_buffers()}
    with torch.no_grad():
        for n, p in named.items():
            p += epsilon[n]
    torch.set_rng_state(state)
    closure()
    torch.set_rng_state(after)
    with torch.no_grad():
        for n, p in named.items():
            p.copy_(weights[n])
        for n, b in model.named_buffers():
            b.copy_(buffers[n])
    base.step()


@pytest.mark.parametrize("base", list(BASES))
@pytest.mark.parametrize("norm", [2.0, float("inf")])
@pytest.mark.parametrize(("rule", "rho"), [("sam", 0.05), ("asam", 0.5)])
def test_matches_its_plain_twin(
    make_net: Any, batches: Any, closure_of: Closures, rule: str, rho: float, norm: float, base: str
):
    """Over 20 steps on a network with BatchNorm and dropout, in double precision.

    In single precision the two orders of summation differ by rounding, which 20 steps of a network amplify; in double
    precision a tolerance of 1e-9 leaves no room for another rule. It is no smaller because the gradient of a bias
    before BatchNorm is nothing but rounding, which Adam magnifies by up to 1/eps.
    """
    rho = rho if norm == 2.0 else rho / 50
    models = [make_net().double(), make_net().double()]
    data = [(x.double(), y) for x, y in batches]
    parameters = [[p for p in model.parameters() if p.requires_grad] for model in models]
    optimizers = [BASES.create(base, lr=0.01, weight_decay=0.01).build(p) for p in parameters]
    sharp = samcli.optim.build(rule, optimizers[0], model=models[0], rho=rho, norm=norm)
    torch.manual_seed(1)
    for batch in data:
        sharp.step(closure_of(models[0], batch))
    torch.manual_seed(1)
    for batch in data:
        twin_step(rule, norm, rho, models[1], optimizers[1], closure_of(models[1], batch))
    for (name, a), b in zip(models[0].state_dict().items(), models[1].state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9, msg=name)


def plain_net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.Tanh(), nn.Linear(16, 3))


def run_ours(batches: Any, closure_of: Closures, variant: str, rho: float, **options: Any) -> nn.Module:
    model = plain_net()
    base = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    optimizer = samcli.optim.build(variant, base, model=model, rho=rho, **options)
    for batch in batches:
        optimizer.step(closure_of(model, batch))
    return model


def run_independent(batches: Any, closure_of: Closures, rho: float) -> nn.Module:
    model = plain_net()
    optimizer = IndependentSAM(model.parameters(), base_optimizer=torch.optim.SGD, rho=rho, lr=0.1, momentum=0.9)
    for batch in batches:
        closure = closure_of(model, batch)
        closure()
        optimizer.first_step(zero_grad=True)
        closure()
        optimizer.second_step(zero_grad=True)
    return model


def test_sam_agrees_with_an_independent_package(batches: Any, closure_of: Closures):
    """Without BatchNorm and dropout, which that package leaves to its user; fp32 over 20 steps."""
    ours, theirs = run_ours(batches, closure_of, "sam", 0.05), run_independent(batches, closure_of, 0.05)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)
    other = run_ours(batches, closure_of, "sam", 0.06)
    assert any((a - b).abs().max() > 1e-4 for a, b in zip(ours.parameters(), other.parameters(), strict=True))


def test_asam_on_equal_weights_is_sam():
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


def test_weight_decay_only_descends():
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
