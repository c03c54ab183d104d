"""Random draws same_draws, buffers untouched."""

import pytest
import torch
from torch import Tensor, nn

from samcli.weights.guard import RandomState, buffers_untouched, same_draws

CPU = torch.device("cpu")


def test_replayed_draws_the_same_and_moves_on() -> None:
    torch.manual_seed(1)
    start = RandomState(CPU)
    first = torch.rand(5)
    with same_draws(start, CPU):
        assert torch.equal(torch.rand(5), first)
        torch.rand(100)  # a pass may draw more than the first
    after = torch.rand(5)
    torch.manual_seed(1)
    torch.rand(5)
    assert torch.equal(torch.rand(5), after)


class Replacing(nn.Module):
    """A layer that changes one buffer in place and puts a new tensor in another's place."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("inside", torch.zeros(2))
        self.register_buffer("anew", torch.zeros(2))
        self.register_buffer("none", None)

    def forward(self, x: Tensor) -> Tensor:
        self.inside.add_(1)
        self.anew = self.anew + 1
        self.none = torch.ones(1)
        return x


@pytest.mark.parametrize("fails", [False, True])
def test_buffers_come_back(fails: bool) -> None:
    model = nn.Sequential(nn.BatchNorm1d(3), Replacing())
    model(torch.randn(4, 3))
    model[1].none = None
    values = {name: buffer.clone() for name, buffer in model.named_buffers()}
    tensors = dict(model.named_buffers())
    try:
        with buffers_untouched(model):
            model(torch.randn(4, 3))
            assert not torch.equal(model[1].anew, values["1.anew"])
            if fails:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        assert fails
    assert model[1].none is None
    for name, buffer in model.named_buffers():
        assert torch.equal(buffer, values[name]), name
        assert buffer is tensors[name], name
