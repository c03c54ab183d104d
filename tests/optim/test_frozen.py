"""Every rule with parameters that are frozen: they stay bit for bit, and the others are trained as if they were all."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from twins import ClosureOf, MakeNet, Net, Pairs

import samcli.optim
from samcli.optim import BASES, VARIANTS
from samcli.weights.frozen import freeze


def stepped(name: str, model: nn.Module, batches: Pairs, closure_of: ClosureOf) -> dict[str, Tensor]:
    """The network's tensors after four steps over all of its parameters that require a gradient."""
    plain = {"momentum": 0.0} if name == "bsam" else {"weight_decay": 0.01}  # which has its own
    base = BASES.create("sgd", lr=0.05, **plain).build(p for p in model.parameters() if p.requires_grad)
    optimizer = samcli.optim.build(name, base, model=model)
    model.train()
    torch.manual_seed(3)
    for index, batch in enumerate(batches[:4]):
        optimizer.progress = index / 4
        optimizer.step(closure_of(model, batch))
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


@pytest.mark.parametrize("name", list(VARIANTS))
def test_what_is_frozen_stays_bit_for_bit(name: str, make_net: MakeNet, batches: Pairs, closure_of: ClosureOf) -> None:
    model = make_net()
    what = ["conv.*"] if name == "sam-on" else ["conv.*", "norm.*"]  # which perturbs nothing else
    freeze(model, what, outputs=3)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    after = stepped(name, model, batches, closure_of)
    changed = {name for name, tensor in after.items() if not torch.equal(tensor, before[name])}
    norm = {key for key in after if key.startswith("norm.")} if name == "sam-on" else set[str]()
    assert changed == {"head.weight", "head.bias", *norm}


class Fixed(nn.Module):
    """The network with its frozen part as a function without parameters."""

    def __init__(self, net: Net) -> None:
        super().__init__()
        self.dropout, self.head, self.unused = net.dropout, net.head, net.unused
        self.rest: list[Any] = [net.conv, net.norm, net.frozen]  # a list hides them from the module

    def forward(self, x: Tensor) -> Tensor:
        conv, norm, frozen = self.rest
        with torch.no_grad():
            features = norm(conv(x)).relu().flatten(1)
        return self.head(self.dropout(features)) * frozen


@pytest.mark.parametrize("name", [name for name in VARIANTS if name != "sam-on"])
def test_the_others_are_trained_as_the_whole_network_would_be(
    name: str, make_net: MakeNet, batches: Pairs, closure_of: ClosureOf
) -> None:
    frozen, net = make_net(), make_net()
    freeze(frozen, ["conv.*", "norm.*"], outputs=3)
    net.norm.eval()
    ours, theirs = (stepped(name, model, batches, closure_of) for model in (frozen, Fixed(net)))
    assert all(torch.equal(ours[key], theirs[key]) for key in ("head.weight", "head.bias"))
