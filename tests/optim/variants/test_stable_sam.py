"""Stable SAM against a plain twin."""

import pytest
import torch
from torch import Tensor, nn
from twins import CheckTwin, ClosureOf, MakeNet, Pairs, Point

import samcli.optim
from samcli.optim import BASES


@pytest.mark.parametrize("base", list(BASES))
def test_is_its_plain_twin(check_twin: CheckTwin, base: str) -> None:
    def rule(point: Point) -> Tensor:
        g = point.grad(point.w)
        nearby = point.grad(point.w + 0.05 * g / g.norm())
        return g.norm() / nearby.norm() * nearby

    check_twin("stable-sam", rule, base, rho=0.05)


def test_descends_with_the_length_of_the_plain_gradient(
    make_net: MakeNet, batches: Pairs, closure_of: ClosureOf
) -> None:
    model = make_net()
    base = torch.optim.SGD((p for p in model.parameters() if p.requires_grad), lr=0.0)
    seen = []

    def note(optimizer: torch.optim.Optimizer, args: object, kwargs: object) -> None:
        gradients = [
            p.grad.flatten() for group in optimizer.param_groups for p in group["params"] if p.grad is not None
        ]
        seen.append(torch.cat(gradients).norm())

    base.register_step_pre_hook(note)
    torch.manual_seed(2)
    samcli.optim.build("stable-sam", base, model=model, rho=0.0).step(closure_of(model, batches[0]))
    torch.manual_seed(2)
    samcli.optim.build("stable-sam", base, model=model, rho=0.5).step(closure_of(model, batches[0]))
    torch.testing.assert_close(*seen)


def test_vanishing_gradient_nearby_gives_no_nan() -> None:
    weight = nn.Parameter(torch.tensor([1.0]))
    optimizer = samcli.optim.build("stable-sam", torch.optim.SGD([weight], lr=0.1), rho=0.5)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = -(1.25 - weight).relu().sum()  # flat beyond 1.25
        loss.backward()
        return loss

    optimizer.step(closure)
    assert weight.item() == 1.0
