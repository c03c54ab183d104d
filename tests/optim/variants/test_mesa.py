"""MESA: its twin, and the average that it holds the outputs near."""

import copy

import pytest
import torch
from torch import Tensor, nn
from twins import CheckResume, CheckTwin, MakeNet, Pairs, Point

import samcli.optim
from samcli.optim import BASES, Batch, SharpnessAware


@pytest.mark.parametrize("base", list(BASES))
def test_is_its_plain_twin(check_twin: CheckTwin, base: str) -> None:
    def rule(point: Point) -> Tensor:
        model, delta = point.model, 0.8
        now = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        average = point.state.setdefault("average", now)
        for name, tensor in average.items():
            average[name] = delta * tensor + (1 - delta) * now[name] if tensor.is_floating_point() else now[name]
        teacher = copy.deepcopy(model).eval()
        teacher.load_state_dict(average)
        with torch.no_grad():
            p = torch.softmax(teacher(point.inputs) / 3, 1)
        model.zero_grad()
        z = model(point.inputs)
        loss = nn.functional.cross_entropy(z, point.targets)
        (loss + 0.7 * 9 * (p * (p.log() - torch.log_softmax(z / 3, 1))).sum() / 16).backward()
        return torch.cat([q.grad.flatten() for q in model.parameters() if q.requires_grad])

    check_twin("mesa", rule, base, rho=0.7, temperature=3.0, delta=0.8)


def step_of(model: nn.Module, optimizer: SharpnessAware, x: Tensor, y: Tensor) -> Batch:
    batch = Batch(model, nn.functional.cross_entropy, x, y)
    optimizer.step(batch)
    return batch


def test_a_pass_and_a_forward(make_net: MakeNet, batches: Pairs) -> None:
    model = make_net()
    model.norm.eval()  # as a user may have frozen it
    optimizer = samcli.optim.build("mesa", torch.optim.SGD(model.parameters(), lr=0.1), model=model)
    batch = step_of(model, optimizer, *batches[0])
    assert (batch.evaluated, batch.forwarded) == (16, 16)
    assert model.training
    assert model.dropout.training
    assert not model.norm.training


def test_a_net_that_has_not_moved_is_not_pulled() -> None:
    """Without dropout and BatchNorm, the first step's average is the network itself."""
    torch.manual_seed(0)
    model = nn.Linear(2, 3)
    plain = copy.deepcopy(model)
    x, y = torch.randn(6, 2), torch.randint(3, (6,))
    optimizer = samcli.optim.build("mesa", torch.optim.SGD(model.parameters(), lr=0.5), model=model)
    base = samcli.optim.build("sam", torch.optim.SGD(plain.parameters(), lr=0.5), model=plain, rho=0.0)
    step_of(model, optimizer, x, y)
    step_of(plain, base, x, y)
    torch.testing.assert_close(model.weight, plain.weight, rtol=1e-6, atol=1e-7)
    step_of(model, optimizer, x, y)
    step_of(plain, base, x, y)
    assert not torch.allclose(model.weight, plain.weight, rtol=1e-4)


def test_micro_batches_take_part_in_the_average_once() -> None:
    weights = []
    for m in (None, 2):
        torch.manual_seed(0)
        model = nn.Linear(2, 3)
        base = torch.optim.SGD(model.parameters(), lr=0.5)
        optimizer = samcli.optim.build("mesa", base, model=model, delta=0.5, m=m)
        x, y = torch.randn(6, 2), torch.randint(3, (6,))
        for _ in range(4):
            step_of(model, optimizer, x, y)
        weights.append(model.weight.detach())
    torch.testing.assert_close(*weights)


def test_resumes_with_its_average(check_resume: CheckResume) -> None:
    check_resume("mesa", rho=0.5, delta=0.5)


def test_mistakes_are_refused_in_sentences() -> None:
    model = nn.Linear(2, 1)
    optimizer = samcli.optim.build("mesa", torch.optim.SGD(model.parameters(), lr=0.5), model=model)
    with pytest.raises(ValueError, match=r"mesa compares distributions over classes"):
        optimizer.step(Batch(model, nn.functional.mse_loss, torch.randn(4, 2), torch.randn(4, 1)))
    with pytest.raises(ValueError, match=r"call step with a samcli\.optim\.Batch"):
        optimizer.step(lambda: model(torch.randn(4, 2)).sum())
