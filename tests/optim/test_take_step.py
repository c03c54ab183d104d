"""One door for plain and sharpness-aware optimizers."""

import pytest
import torch
from torch import Tensor

import samcli.optim
from samcli.optim import clip_gradient, take_step


@pytest.mark.parametrize("name", ["sgd", "sam"])
def test_the_loss_before_the_step_and_hooks_that_see_the_gradient(name: str) -> None:
    weight = torch.nn.Parameter(torch.tensor([3.0, 4.0]))
    base = torch.optim.SGD([weight], lr=1.0)
    clip_gradient(base, 0.5)
    optimizer = base if name == "sgd" else samcli.optim.build("sam", base, rho=0.5)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = 0.5 * weight.square().sum()
        loss.backward()
        return loss

    loss = take_step(optimizer, closure)
    assert (loss.item(), loss.requires_grad) == (12.5, False)
    # g and g(w + ε) point along w; clipped to the length 1/2 either way
    torch.testing.assert_close(weight.data, torch.tensor([2.7, 3.6]))


@pytest.mark.parametrize("name", ["sgd", "sam"])
@pytest.mark.parametrize("factor", [1.0, float("inf")])
def test_a_scaler_is_told_once(name: str, factor: float) -> None:
    weight = torch.nn.Parameter(torch.tensor([1.0]))
    base = torch.optim.SGD([weight], lr=0.5)
    optimizer = base if name == "sgd" else samcli.optim.build("sam", base, rho=0.5)
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = factor * 0.5 * weight.square().sum()
        scaler.scale(loss).backward()
        return loss

    take_step(optimizer, closure, scaler)
    finite = factor == 1.0
    assert scaler.get_scale() == (8.0 if finite else 4.0)
    assert weight.item() == ((0.5 if name == "sgd" else 0.25) if finite else 1.0)
