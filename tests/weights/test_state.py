"""A model is left as it was found, and measured whatever surrounds the call."""

import pytest
import torch
from torch import nn

from samcli.weights.state import untouched


def network() -> nn.Module:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 2))
    model.train()
    model[1].eval()  # as a user may have frozen it
    return model


@pytest.mark.parametrize("fails", [False, True])
def test_modes_buffers_and_random_state_come_back(fails: bool) -> None:
    model = network()
    modes = [module.training for module in model.modules()]
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    torch.manual_seed(5)
    before = torch.get_rng_state()
    try:
        with untouched(model):
            assert not any(module.training for module in model.modules())
            model.train()
            model(torch.randn(6, 3))
            if fails:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        assert fails
    assert [module.training for module in model.modules()] == modes
    assert torch.equal(torch.get_rng_state(), before)
    for name, buffer in model.named_buffers():
        assert torch.equal(buffer, buffers[name]), name


def test_there_are_derivatives_in_full_precision_whatever_surrounds_it() -> None:
    model = network()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16), untouched(model):
        output = model(torch.ones(2, 3))
    assert output.requires_grad
    assert output.dtype == torch.float32
