"""One-step sharpness against a plain twin, and where there is nothing to climb."""

import copy
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from samcli import sharpness
from samcli.sharpness import Result

NAMES = ["one-step", "one-step-linf", "one-step-adaptive", "one-step-adaptive-linf"]
Loss = Callable[[Tensor, Tensor], Tensor]
cross_entropy = nn.functional.cross_entropy


def examples() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    return torch.randn(60, 4, generator=generator), torch.randint(3, (60,), generator=generator)


def mlp() -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))


def measured(
    model: nn.Module, data: list[tuple[Tensor, Tensor]], name: str, loss: Loss = cross_entropy, **options: Any
) -> Result:
    return sharpness.measure(model, loss, data, [name], **options)[name]


@pytest.mark.parametrize("scaled", ["all", "weights"])
@pytest.mark.parametrize("name", NAMES)
def test_against_a_plain_twin(name: str, scaled: str) -> None:
    model, (x, y) = mlp(), examples()
    rho, eta = 0.07, 0.02
    twin = copy.deepcopy(model)
    before = cross_entropy(twin(x), y)
    before.backward()
    scale = {
        n: p.detach().abs() + eta
        if "adaptive" in name and (scaled == "all" or n.endswith("weight"))
        else torch.ones_like(p)
        for n, p in twin.named_parameters()
    }
    length = torch.cat([(scale[n] * p.grad).flatten() for n, p in twin.named_parameters()]).norm()
    with torch.no_grad():
        for n, p in twin.named_parameters():
            p += rho * scale[n] * (p.grad.sign() if "linf" in name else scale[n] * p.grad / length)
        expected = (cross_entropy(twin(x), y) - before).item()
    got = measured(model, [(x, y)], name, rho=rho, eta=eta, scale=scaled).value
    # a difference of two fp32 losses near 1, each rounded to 6e-8
    assert got == pytest.approx(expected, abs=5e-7)
    assert got > 0.003


def test_rescaling_a_relu_network() -> None:
    """Layer 1 times 10 and layer 2 divided by 10 is the same function: the adaptive measures (η = 0) agree."""
    x, y = examples()
    torch.manual_seed(1)
    models = [nn.Sequential(nn.Linear(4, 8, bias=False), nn.ReLU(), nn.Linear(8, 3, bias=False)) for _ in range(2)]
    models[1].load_state_dict(models[0].state_dict())
    with torch.no_grad():
        models[1][0].weight.mul_(10)
        models[1][2].weight.div_(10)

    def pair(name: str) -> list[float]:
        return [measured(m, [(x, y)], name, rho=0.1, eta=0.0).value for m in models]

    for name in ("one-step-adaptive", "one-step-adaptive-linf"):
        a, b = pair(name)
        assert a == pytest.approx(b, rel=1e-4)
    a, b = pair("one-step")
    assert abs(a - b) > 0.5 * a


def test_loss_that_overflows_at_the_perturbed_parameters() -> None:
    model = nn.Linear(3, 1)
    data = [(torch.ones(5, 3), torch.zeros(5, 1))]
    result = measured(model, data, "one-step", nn.functional.mse_loss, rho=1e25)
    assert math.isnan(result.value)
    assert not result.converged


def test_zero_gradient_gives_zero_sharpness() -> None:
    model = nn.Linear(3, 1, bias=False)
    nn.init.zeros_(model.weight)
    data = [(torch.randn(5, 3), torch.zeros(5, 1))]
    assert {measured(model, data, name, nn.functional.mse_loss).value for name in [*NAMES, "grad-norm"]} == {0.0}


def test_what_was_measured_is_recorded() -> None:
    model, (x, y) = mlp(), examples()
    details = measured(model, [(x, y)], "one-step-adaptive-linf", rho=0.3).details
    assert details["examples"] == 60
    assert details["rho"] == 0.3
    assert details["norm"] == math.inf
    assert (details["eta"], details["scale"]) == (0.0, "all")
    assert details["dtype"] == "float32"
    assert details["batch_norm"] == "evaluation"
    assert details["loss"] == pytest.approx(cross_entropy(model(x), y).item(), rel=1e-6)
