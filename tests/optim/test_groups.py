"""Several parameter groups: a rule sees them as one vector, and the base optimizer gives each its own options."""

import io
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from twins import ClosureOf, MakeNet, Net, Pairs

import samcli.optim
from samcli.optim import BASES, VARIANTS, Grouping, OptimizerSettings

STEPS = 5


def parted(model: nn.Module, groups: int) -> list[dict[str, Any]]:
    parameters = [p for p in model.parameters() if p.requires_grad]
    size = math.ceil(len(parameters) / groups)
    return [{"params": parameters[i : i + size]} for i in range(0, len(parameters), size)]


def built(name: str, model: nn.Module, base: str, groups: int, **options: Any) -> torch.optim.Optimizer:
    others = VARIANTS.kind(name).base_defaults if name in VARIANTS else {}
    decay = {} if name == "bsam" else {"weight_decay": 0.01}  # which has its own
    optimizer = BASES.create(base, lr=0.05, **{**decay, **others}).build(parted(model, groups))
    return samcli.optim.build(name, optimizer, model=model, **options) if name in VARIANTS else optimizer


def stepped(
    optimizer: torch.optim.Optimizer, model: nn.Module, batches: Pairs, closure_of: ClosureOf, first: int = 0
) -> dict[str, Tensor]:
    model.train()
    for index in range(first, STEPS):
        torch.manual_seed(100 + index)
        for group in optimizer.param_groups:
            group["lr"] = 0.05 * (1.0 - index / STEPS)
        if isinstance(optimizer, samcli.optim.SharpnessAware):
            optimizer.progress = index / STEPS
        optimizer.step(closure_of(model, batches[index]))
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


@pytest.mark.parametrize("base", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize("name", list(VARIANTS))
def test_equal_groups_give_the_bits_of_one(
    name: str, base: str, make_net: MakeNet, batches: Pairs, closure_of: ClosureOf
) -> None:
    if name == "bsam" and base != "sgd":
        pytest.skip("bsam stands on sgd alone")
    found = []
    for groups in (1, 2, 3):
        model = make_net()
        found.append(stepped(built(name, model, base, groups), model, batches, closure_of))
    for other in found[1:]:
        assert all(torch.equal(tensor, other[key]) for key, tensor in found[0].items())


@pytest.mark.parametrize("name", list(VARIANTS))
def test_a_state_of_several_groups_is_resumed(
    name: str, make_net: MakeNet, batches: Pairs, closure_of: ClosureOf
) -> None:
    whole = make_net()
    wanted = stepped(built(name, whole, "sgd", 3), whole, batches, closure_of)
    for stop in (1, 3):
        model = make_net()
        optimizer = built(name, model, "sgd", 3)
        torch.manual_seed(3)
        for index in range(stop):
            torch.manual_seed(100 + index)
            for group in optimizer.param_groups:
                group["lr"] = 0.05 * (1.0 - index / STEPS)
            assert isinstance(optimizer, samcli.optim.SharpnessAware)
            optimizer.progress = index / STEPS
            optimizer.step(closure_of(model.train(), batches[index]))
        file = io.BytesIO()
        torch.save([model.state_dict(), optimizer.state_dict()], file)
        file.seek(0)
        weights, state = torch.load(file, weights_only=True)
        model = make_net()
        model.load_state_dict(weights)
        optimizer = built(name, model, "sgd", 3)
        optimizer.load_state_dict(state)
        assert len(optimizer.param_groups) == 3
        found = stepped(optimizer, model, batches, closure_of, first=stop)
        assert all(torch.equal(tensor, found[key]) for key, tensor in wanted.items())


def test_the_perturbation_has_one_norm_whatever_the_rates(
    make_net: MakeNet, batches: Pairs, closure_of: ClosureOf
) -> None:
    model = make_net().double()
    grouping = Grouping(head_lr=1.0, layer_decay=0.1, decay="weights")
    groups = grouping.of(model, 3, lr=0.05, weight_decay=0.01)
    assert len(groups) > 3
    optimizer = samcli.optim.build("sam", torch.optim.SGD(groups, lr=0.05), model=model, rho=0.25)
    weights = torch.cat([p.detach().flatten().clone() for p in model.parameters()])
    norms: list[float] = []

    def note(module: nn.Module, args: Any) -> None:
        now = torch.cat([p.detach().flatten() for p in model.parameters()])
        norms.append(float((now - weights).norm()))

    model.register_forward_pre_hook(note)
    x, y = batches[0]
    optimizer.step(closure_of(model, (x.double(), y)))
    assert norms == pytest.approx([0.0, 0.25])


def test_each_group_has_its_rate_and_its_decay() -> None:
    torch.manual_seed(0)
    model = Net()
    names = {p: name for name, p in model.named_parameters()}
    groups = Grouping(head_lr=1.0, layer_decay=0.5, decay="weights").of(model, 3, lr=0.1, weight_decay=0.01)
    found = {names[p]: (group["lr"], group["weight_decay"]) for group in groups for p in group["params"]}
    assert set(found) == {name for name, p in model.named_parameters() if p.requires_grad}
    for name, (rate, decay) in found.items():
        assert decay == (0.01 if model.get_parameter(name).dim() >= 2 else 0.0)
        assert rate in {1.0, 0.05, 0.025, 0.0125}


def test_nothing_set_is_one_group_that_says_nothing() -> None:
    model = nn.Linear(2, 3)
    assert Grouping().of(model, 3, lr=0.1, weight_decay=0.01) == [{"params": [model.weight, model.bias]}]
    settings = OptimizerSettings(BASES.create("sgd", lr=0.1))
    (group,) = settings.build(model).param_groups
    assert (group["lr"], group["weight_decay"]) == (0.1, 0.0)


@pytest.mark.parametrize(
    ("settings", "frozen", "clauses"),
    [
        ({"layer_decay": 0.5, "head_lr": 0.1}, [], []),
        ({"layer_decay": 0.5, "head_lr": 0.1}, ["0"], ["layer_decay changes nothing, as the head alone is trained"]),
        ({"layer_decay": 0.5, "head_lr": 0.1}, ["1"], ["head_lr changes nothing, as the head is frozen"]),
        ({"decay": "weights"}, ["0"], []),
    ],
)
def test_what_reaches_nothing_is_told(settings: dict[str, Any], frozen: list[str], clauses: list[str]) -> None:
    """What is told leaves each parameter the rate that it has without; what is not told changes one."""
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 3))
    for name in frozen:
        model.get_submodule(name).requires_grad_(False)
    assert Grouping(**settings).idle(model, 3) == clauses

    def rates(grouping: Grouping) -> list[float]:
        return [group.get("lr", 1.0) for group in grouping.of(model, 3, lr=1.0, weight_decay=0.0)]

    for key in {"layer_decay", "head_lr"} & settings.keys():
        without = {name: value for name, value in settings.items() if name != key}
        same = set(rates(Grouping(**without))) == set(rates(Grouping(**settings)))
        assert same == any(clause.startswith(key) for clause in clauses)
