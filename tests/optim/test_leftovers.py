"""Gradients from before a step: whose they are, and what is done about those of others."""

import copy

import pytest
import torch
from torch import Tensor, nn

import samcli.optim
from samcli.optim import Batch
from samcli.optim.leftovers import Leftovers


def with_gradient(requires_grad: bool = True) -> nn.Parameter:
    p = nn.Parameter(torch.ones(2), requires_grad=requires_grad)
    p.grad = torch.ones(2)
    return p


def test_what_was_noted_is_own_until_it_is_added_to_or_exchanged() -> None:
    kept, added_to, exchanged, new = parameters = [with_gradient() for _ in range(4)]
    left = Leftovers()
    left.note([kept, added_to, exchanged])
    assert added_to.grad is not None
    added_to.grad.add_(1.0)
    exchanged.grad = torch.ones(2)
    assert [id(p) for p in left.foreign(parameters)] == [id(p) for p in (added_to, exchanged, new)]
    assert len(copy.deepcopy(left).foreign([kept])) == 1  # a copy knows nothing of the tensors here


def test_a_gradient_is_not_kept_alive() -> None:
    p, left = with_gradient(), Leftovers()
    left.note([p])
    p.grad = None
    p.grad = torch.ones(2)
    assert len(left.foreign([p])) == 1


def test_a_frozen_parameter_may_keep_a_gradient_that_nobody_clears() -> None:
    """As of a layer that was trained before; it takes no part."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 2))
    frozen, head = model[0], model[1]
    base = torch.optim.SGD(model.parameters(), lr=0.1)
    optimizer = samcli.optim.build("sam", base, model=model)
    frozen.requires_grad_(False)
    frozen.weight.grad = stale = torch.ones(3, 3)

    def closure() -> Tensor:
        head.zero_grad()
        loss = model(torch.ones(4, 3)).square().mean()
        loss.backward()
        return loss

    before = head.weight.detach().clone()
    optimizer.step(closure)
    assert frozen.weight.grad is stale
    assert not torch.equal(head.weight, before)


@pytest.mark.parametrize("clears", [True, False])
def test_after_a_batch_a_plain_closure(clears: bool) -> None:
    """What the batch's step left counts as foreign, and a closure that clears does not mind."""
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    optimizer = samcli.optim.build("sam", torch.optim.SGD(model.parameters(), lr=0.1), model=model)
    x, y = torch.randn(4, 3), torch.tensor([0, 1, 0, 1])
    optimizer.step(Batch(model, nn.functional.cross_entropy, x, y))

    def closure() -> Tensor:
        if clears:
            optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        return loss

    if clears:
        assert optimizer.step(closure).isfinite()
    else:
        with pytest.raises(ValueError, match="does not clear the gradients"):
            optimizer.step(closure)
