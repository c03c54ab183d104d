"""SSAM-F against a plain twin."""

import pytest
import torch
from torch import Tensor, nn
from twins import CheckTwin, ClosureOf, MakeNet, Pairs, Point, largest

import samcli.optim
from samcli.optim import BASES


@pytest.mark.parametrize("base", list(BASES))
def test_ssam_f_is_its_plain_twin(check_twin: CheckTwin, base: str) -> None:
    def rule(point: Point) -> Tensor:
        g = point.grad(point.w)
        if point.t % 3 == 0:
            point.model.eval()
            fisher = sum(point.grad(point.w, slice(i, i + 1)) ** 2 for i in range(5))
            point.model.train()
            point.state["mask"] = largest(fisher, int(0.3 * len(g)))
        return point.grad(point.w + 0.2 * point.state["mask"] * g / g.norm())

    check_twin("sparse-sam-f", rule, base, rho=0.2, sparsity=0.7, k=3, samples=5)


def test_examples_are_counted(make_net: MakeNet, batches: Pairs, closure_of: ClosureOf) -> None:
    model = make_net()
    optimizer = samcli.optim.build("sparse-sam-f", torch.optim.SGD(model.head.parameters(), lr=0.1), model=model)
    batch = closure_of(model, batches[0])
    optimizer.step(batch)
    assert batch.evaluated == 16 + 16 + 16


def test_ssam_f_leaves_the_model_in_its_modes(make_net: MakeNet, batches: Pairs, closure_of: ClosureOf) -> None:
    model = make_net()
    model.norm.eval()
    base = torch.optim.SGD(model.head.parameters(), lr=0.1)
    samcli.optim.build("sparse-sam-f", base, model=model).step(closure_of(model, batches[0]))
    assert (model.training, model.norm.training, model.dropout.training) == (True, False, True)


def test_ssam_f_needs_examples() -> None:
    weight = nn.Parameter(torch.ones(3))
    optimizer = samcli.optim.build("sparse-sam-f", torch.optim.SGD([weight], lr=0.1))

    def closure() -> Tensor:
        loss = weight.square().sum()
        loss.backward()
        return loss

    with pytest.raises(ValueError, match=r"looks at single examples: call step with a samcli.optim.Batch"):
        optimizer.step(closure)
