"""MSAM: its twin over each momentum, one pass, and unperturbed weights between steps."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from twins import CheckResume, CheckTwin, ClosureOf, MakeNet, Pairs, Point

import samcli.optim
from samcli.errors import ConfigError
from samcli.optim import BASES


def norm(x: Tensor) -> Tensor:
    return torch.linalg.vector_norm(x)


@pytest.mark.parametrize("base", list(BASES))
def test_is_its_plain_twin(check_twin: CheckTwin, base: str) -> None:
    def rule(point: Point) -> Tensor:
        v = point.momentum
        return point.grad(point.w - 0.5 * v / norm(v) if norm(v) > 0 else point.w)

    check_twin("msam", rule, base, rho=0.5)


def momentum_run(make_net: MakeNet, batches: Pairs, closure_of: ClosureOf, rhos: list[float], lr: float) -> Any:
    model = make_net().double()
    base = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    optimizer = samcli.optim.build("msam", base, model=model, rho=1.0)
    offsets: list[Tensor] = []
    weights = torch.cat([p.detach().flatten() for p in model.parameters()])

    def record(*_: Any) -> None:
        offsets.append(torch.cat([p.detach().flatten() for p in model.parameters()]) - weights)

    model.register_forward_pre_hook(record)
    for rho, (x, y) in zip(rhos, batches, strict=False):
        weights = torch.cat([p.detach().flatten() for p in model.parameters()])
        optimizer.rho_factor = rho
        optimizer.step(closure_of(model, (x.double(), y)))
    return model, base, offsets


def test_one_pass_at_distance_rho_against_the_momentum(
    make_net: MakeNet, batches: Pairs, closure_of: ClosureOf
) -> None:
    _, _, offsets = momentum_run(make_net, batches, closure_of, [0.3] * 6, lr=0.05)
    assert len(offsets) == 6
    assert norm(offsets[0]) == 0.0
    for offset in offsets[1:]:
        assert norm(offset).item() == pytest.approx(0.3, rel=1e-12)


def test_a_schedule_of_rho_leaks_nothing_into_the_weights(
    make_net: MakeNet, batches: Pairs, closure_of: ClosureOf
) -> None:
    model, _, _ = momentum_run(make_net, batches, closure_of, [1.0 - t / 20 for t in range(20)], lr=0.0)
    for p, q in zip(model.parameters(), make_net().double().parameters(), strict=True):
        assert torch.equal(p, q)


def test_looks_where_the_momentum_leads(make_net: MakeNet, batches: Pairs, closure_of: ClosureOf) -> None:
    """Along the last descent, so with the sign opposite to SAM's."""
    model, base, _ = momentum_run(make_net, batches, closure_of, [0.3], lr=0.0)
    zero = torch.zeros(())
    v = torch.cat([base.state[p].get("momentum_buffer", zero.expand_as(p)).flatten() for p in model.parameters()])
    offsets = momentum_run(make_net, batches, closure_of, [0.3, 0.3], lr=0.0)[2]
    assert norm(v) > 0
    torch.testing.assert_close(offsets[1], -0.3 * v / norm(v))


def test_resumes_with_its_offset(check_resume: CheckResume) -> None:
    check_resume("msam", rho=0.5)


def test_zero_momentum_is_the_weights() -> None:
    weight = nn.Parameter(torch.tensor([2.0]))
    optimizer = samcli.optim.build("msam", torch.optim.SGD([weight], lr=0.0, momentum=0.9), rho=1.0)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = 0.0 * weight.sum()
        loss.backward()
        return loss

    for _ in range(3):
        assert optimizer.step(closure).item() == 0.0
    assert weight.item() == 2.0


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.Adagrad])
def test_a_base_without_momentum_is_refused_in_a_sentence(kind: type[torch.optim.Optimizer]) -> None:
    weight = nn.Parameter(torch.ones(1))
    with pytest.raises(ConfigError, match="give SGD a momentum above 0, or use Adam or AdamW"):
        samcli.optim.build("msam", kind([weight], lr=0.1))
