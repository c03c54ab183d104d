"""Building by name, from settings, and clipping."""

import pytest
import torch
from torch import Tensor, nn

import samcli.optim
from samcli.errors import ConfigError
from samcli.optim import OptimizerSettings


def test_unknown_variant_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"no optimizer named 'sma'; did you mean sam\?"):
        samcli.optim.build("sma", torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=0.1))


def test_unknown_option_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="radius"):
        samcli.optim.build("sam", torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=0.1), radius=1)


def test_from_settings() -> None:
    model = nn.Linear(2, 1)
    model.bias.requires_grad_(False)
    settings = {"name": "asam", "base": "adamw", "rho": 0.7, "eta": 0.0, "norm": 2.0}
    base = {"lr": 0.3, "betas": (0.8, 0.9), "eps": 1e-6, "weight_decay": 0.2}
    optimizer = OptimizerSettings.of({**settings, **base}).build(model)
    assert isinstance(optimizer, samcli.optim.SharpnessAware)
    assert optimizer.variant == samcli.optim.variants.ASAM(rho=0.7, eta=0.0, norm=2.0)
    assert isinstance(optimizer.base, torch.optim.AdamW)
    (group,) = optimizer.base.param_groups
    assert {key: group[key] for key in base} == base
    assert group["params"] == [model.weight]


def test_plain_base_from_settings() -> None:
    model = nn.Linear(2, 1)
    settings = {"name": "sgd", "lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.0}
    optimizer = OptimizerSettings.of(settings).build(model)
    assert type(optimizer) is torch.optim.SGD
    assert optimizer.param_groups[0]["nesterov"]


def test_nesterov_without_momentum_is_an_error() -> None:
    with pytest.raises(ConfigError, match="momentum above 0"):
        samcli.optim.BASES.create("sgd", nesterov=True, momentum=0.0)


@pytest.mark.parametrize("name", ["sgd", "sam"])
def test_clipping_bounds_the_descent_gradient_only(name: str) -> None:
    weight = nn.Linear(2, 1, bias=False)
    nn.init.ones_(weight.weight)
    settings = {"name": name, "lr": 1.0, "momentum": 0.0, "nesterov": False, "weight_decay": 0.0}
    if name == "sam":
        settings |= {"base": "sgd", "rho": 0.5, "norm": 2.0, "ascent_steps": 1}
    optimizer = OptimizerSettings.of(settings).build(weight, clip_norm=0.25)
    visited: list[Tensor] = []

    def closure() -> Tensor:
        visited.append(weight.weight.detach().clone())
        optimizer.zero_grad()
        loss = 50.0 * weight.weight.square().sum()
        loss.backward()
        return loss

    samcli.optim.take_step(optimizer, closure)
    assert (visited[0] - weight.weight).norm().item() == pytest.approx(0.25, rel=1e-5)
    if name == "sam":
        assert (visited[1] - visited[0]).norm().item() == pytest.approx(0.5, rel=1e-5)
