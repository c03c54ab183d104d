"""The engine by itself: what the closure may do, and what learning rates, names and memory see of it.

The promises that it makes for every rule are in `samcli.optim.promises`, and run in test_promises.
"""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from twins import MakeNet, Pairs

import samcli.optim


class Switching(nn.Module):
    """A branch each that takes part in only one of two consecutive passes."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.always = (nn.Parameter(torch.tensor([value])) for value in (1.0, 2.0, 3.0))
        self.calls = 0

    def forward(self) -> Tensor:
        self.calls += 1
        branch = self.first if self.calls % 2 else self.second
        return (branch * self.always).square().sum()


def test_parameters_without_gradient_in_one_pass() -> None:
    model = Switching()
    optimizer = samcli.optim.build("sam", torch.optim.SGD(model.parameters(), lr=1e-3), rho=0.1)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = model()
        loss.backward()
        return loss

    optimizer.step(closure)
    # pass 1: L = (first·always)², g = (2·1·9, 2·3·1); pass 2: L = (second·always)² at always + ε
    g = torch.tensor([18.0, 6.0])
    always = 3.0 + 0.1 * 6.0 / g.norm().item()
    assert model.first.item() == 1.0  # its gradient in the second pass counts as zero
    assert model.second.item() == pytest.approx(2.0 - 1e-3 * 2 * 2.0 * always**2, rel=1e-6)
    assert model.always.item() == pytest.approx(3.0 - 1e-3 * 2 * 4.0 * always, rel=1e-6)


def test_no_gradient_at_all_is_a_step_of_the_base() -> None:
    weight = nn.Parameter(torch.ones(2))
    optimizer = samcli.optim.build("sam", torch.optim.SGD([weight], lr=0.1))
    assert optimizer.step(lambda: torch.tensor(1.5)).item() == 1.5
    assert torch.equal(weight, torch.ones(2))


def test_returns_the_loss_at_the_weights() -> None:
    weight = nn.Parameter(torch.tensor([2.0]))
    optimizer = samcli.optim.build("sam", torch.optim.SGD([weight], lr=0.1), rho=1.0)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = weight.square().sum()
        loss.backward()
        return loss

    loss = optimizer.step(closure)
    assert loss.item() == 4.0
    assert not loss.requires_grad


def test_closure_that_zeroes_gradients_in_place(make_net: MakeNet, batches: Pairs) -> None:
    models = [make_net(), make_net()]
    for model, to_none in zip(models, (True, False), strict=True):
        base = torch.optim.SGD((p for p in model.parameters() if p.requires_grad), lr=0.05, weight_decay=0.01)
        optimizer = samcli.optim.build("sam", base, model=model)

        def closure(model: nn.Module = model, to_none: bool = to_none) -> Tensor:
            model.zero_grad(set_to_none=to_none)
            loss = nn.functional.cross_entropy(model(batches[0][0]), batches[0][1])
            loss.backward()
            return loss

        torch.manual_seed(1)
        optimizer.step(closure)
    for (name, x), y in zip(models[0].state_dict().items(), models[1].state_dict().values(), strict=True):
        assert torch.equal(x, y), name


def test_step_without_closure_says_what_to_do() -> None:
    optimizer = samcli.optim.build("sam", torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=0.1))
    with pytest.raises(ValueError, match=r"call step\(closure\)"):
        optimizer.step()


def test_learning_rate_schedulers_reach_the_base() -> None:
    weight = nn.Parameter(torch.ones(1))
    optimizer = samcli.optim.build("sam", torch.optim.SGD([weight], lr=1.0))
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.1)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = weight.sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    scheduler.step()
    assert optimizer.base.param_groups[0]["lr"] == pytest.approx(0.1)
    optimizer.load_state_dict(optimizer.state_dict())
    optimizer.param_groups[0]["lr"] = 0.5
    assert optimizer.base.param_groups[0]["lr"] == 0.5
    optimizer.add_param_group({"params": [nn.Parameter(torch.ones(1))]})
    assert len(optimizer.base.param_groups) == len(optimizer.param_groups) == 2


def test_asam_needs_names() -> None:
    weight = nn.Parameter(torch.ones(1))
    base = torch.optim.SGD([weight], lr=0.1)

    def closure() -> Tensor:
        loss = weight.sum()
        loss.backward()
        return loss

    with pytest.raises(ValueError, match="pass model= to the optimizer"):
        samcli.optim.build("asam", base).step(closure)
    named = torch.optim.SGD([("weight", weight)], lr=0.1)
    samcli.optim.build("asam", named).step(closure)


def test_first_gradient_is_freed_before_the_second_pass() -> None:
    """What keeps the memory of SAM at one copy of the weights above the base optimizer's."""
    import weakref

    weight = nn.Parameter(torch.ones(4))
    optimizer = samcli.optim.build("sam", torch.optim.SGD([weight], lr=0.1))
    alive: list[Any] = []

    def closure() -> Tensor:
        optimizer.zero_grad()
        if alive:
            assert alive[0]() is None
        loss = weight.square().sum()
        loss.backward()
        alive.append(weakref.ref(weight.grad))
        return loss

    optimizer.step(closure)
    assert len(alive) == 2
