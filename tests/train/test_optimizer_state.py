"""The state of an optimizer is taken if it is one that the optimizer itself could have."""

import copy
from typing import Any

import pytest
import torch
from torch import nn

from samcli import optim
from samcli.optim import Batch
from samcli.train.optimizer_state import restore_optimizer


def trained(name: str, base: str, **options: Any) -> tuple[nn.Module, torch.optim.Optimizer]:
    """A small network and its optimizer after two steps."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    optimizer = fresh(model, name, base, **options)
    inputs, targets = torch.randn(8, 3), torch.randint(2, (8,))
    for _ in range(2):
        optimizer.step(Batch(model, nn.functional.cross_entropy, inputs, targets, indices=torch.arange(8)))
    return model, optimizer


def fresh(model: nn.Module, name: str, base: str, **options: Any) -> torch.optim.Optimizer:
    return optim.build(name, optim.BASES.create(base, lr=0.1, **options).build(model.parameters()), model=model)


@pytest.mark.parametrize("base", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize("name", ["sam", "looksam", "vasso", "esam"])
def test_its_own_state_is_taken(name: str, base: str) -> None:
    model, optimizer = trained(name, base)
    optimizer.param_groups[0]["lr"] = 0.05  # what a schedule has set
    state = copy.deepcopy(optimizer.state_dict())
    again = fresh(model, name, base)
    restore_optimizer(again, state)
    assert again.param_groups[0]["lr"] == 0.05
    for parameter in model.parameters():
        for key, value in optimizer.state[parameter].items():
            assert torch.equal(torch.as_tensor(again.state[parameter][key]), torch.as_tensor(value))


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("momentum", 0.5, r"the optimizer's momentum is 0\.5, not 0\.9"),
        ("momentum", "../../etc/passwd", "the optimizer's momentum is '../../etc/passwd', not 0.9"),
        ("momentum", torch.zeros(3), "the optimizer's momentum is tensor"),
        ("weight_decay", None, "the optimizer's weight_decay is None"),
        ("nesterov", 1, "the optimizer's nesterov is 1, not False"),
        ("lr", -0.1, r"the optimizer's lr is -0\.1"),
        ("lr", float("nan"), "the optimizer's lr is nan"),
    ],
)
def test_options_of_another_run_are_refused(key: str, value: object, said: str) -> None:
    model, optimizer = trained("sam", "sgd", momentum=0.9)
    state = copy.deepcopy(optimizer.state_dict())
    state["param_groups"][0][key] = value
    with pytest.raises(ValueError, match=said):
        restore_optimizer(fresh(model, "sam", "sgd", momentum=0.9), state)


@pytest.mark.parametrize("value", [torch.zeros(4, 4), "x", [1.0], torch.zeros(0)])
def test_tensors_of_another_shape_are_refused(value: object) -> None:
    model, optimizer = trained("sam", "sgd", momentum=0.9)
    state = copy.deepcopy(optimizer.state_dict())
    state["state"][0]["momentum_buffer"] = value
    with pytest.raises(ValueError, match=r"momentum_buffer does not fit its parameter of the shape \(4, 3\)"):
        restore_optimizer(fresh(model, "sam", "sgd", momentum=0.9), state)
