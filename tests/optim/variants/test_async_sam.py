"""AsyncSAM in one pass: its twin, and its memory of the last gradient."""

import pytest
import torch
from torch import Tensor
from twins import CheckResume, CheckTwin, ClosureOf, Looks, MakeNet, Pairs, Point

import samcli.optim
from samcli.optim import BASES


def norm(x: Tensor) -> Tensor:
    return torch.linalg.vector_norm(x)


@pytest.mark.parametrize("base", list(BASES))
def test_is_its_plain_twin(check_twin: CheckTwin, base: str) -> None:
    def rule(point: Point) -> Tensor:
        last = point.state.get("last")
        point.state["last"] = point.grad(point.w if last is None else point.w + 0.1 * last / norm(last))
        return point.state["last"]

    check_twin("async-sam", rule, base, rho=0.1)


def test_one_pass_at_distance_rho(looks: Looks) -> None:
    passes = looks("async-sam", steps=6, rho=0.1)
    assert [len(points) for points in passes] == [1] * 6
    assert norm(passes[0][0]) == 0.0
    for points in passes[1:]:
        assert norm(points[0]).item() == pytest.approx(0.1, rel=1e-12)


def test_resumes_with_the_last_gradient(check_resume: CheckResume) -> None:
    check_resume("async-sam", rho=0.1)


def test_a_bad_gradient_is_not_remembered(make_net: MakeNet, batches: Pairs, closure_of: ClosureOf) -> None:
    model = make_net()
    optimizer = samcli.optim.build("async-sam", torch.optim.SGD(model.parameters(), lr=0.01), model=model, rho=0.1)
    optimizer.step(closure_of(model, batches[0]))
    kept = [t.clone() for t in optimizer.state_dict()["sharpness_aware"]["state"]["memory"]["last gradient"].values()]
    statistics = {name: buffer.clone() for name, buffer in model.norm.named_buffers()}
    optimizer.step(closure_of(model, (batches[1][0] * float("inf"), batches[1][1])))
    model.norm.load_state_dict(statistics, strict=False)
    now = optimizer.state_dict()["sharpness_aware"]["state"]["memory"]["last gradient"].values()
    assert all(torch.equal(a, b) for a, b in zip(kept, now, strict=True))
    optimizer.step(closure_of(model, batches[2]))
    assert optimizer.skipped_steps == 1
    assert all(bool(torch.isfinite(p).all()) for p in model.parameters())
