"""LookSAM: its plain twin, its phase, and what it saves."""

import pytest
import torch
from torch import Tensor
from twins import CheckResume, CheckTwin, ClosureOf, Looks, MakeNet, Pairs, Point, Trained

import samcli.optim
from samcli.optim import BASES


def norm(x: Tensor) -> Tensor:
    return torch.linalg.vector_norm(x)


@pytest.mark.parametrize("base", list(BASES))
@pytest.mark.parametrize("k", [2, 5])
def test_is_its_plain_twin(check_twin: CheckTwin, base: str, k: int) -> None:
    def rule(point: Point) -> Tensor:
        g = point.grad(point.w)
        if point.t % k == 0:
            sharp = point.grad(point.w + 0.1 * g / norm(g))
            point.state["v"] = sharp - (sharp @ g) / (g @ g) * g
            return sharp
        v = point.state["v"]
        return g + 0.7 * norm(g) / norm(v) * v

    check_twin("looksam", rule, base, rho=0.1, k=k, alpha=0.7)


def test_k_1_is_sam_bit_for_bit(trained: Trained) -> None:
    assert torch.equal(trained("looksam", rho=0.1, k=1), trained("sam", rho=0.1))
    assert not torch.equal(trained("looksam", rho=0.1, k=2), trained("sam", rho=0.1))


def test_between_alpha_0_descends_the_plain_gradient(trained: Trained) -> None:
    assert torch.equal(trained("looksam", rho=0.1, k=3, alpha=0.0), trained("sam-every", rho=0.1, k=3))


def test_looks_every_fifth_step_at_distance_rho(looks: Looks) -> None:
    passes = looks("looksam", steps=11, rho=0.1, k=5)
    assert [len(points) for points in passes] == [2, 1, 1, 1, 1, 2, 1, 1, 1, 1, 2]  # 1 + 1/5, and the last begins anew
    for points in passes:
        assert norm(points[0]) == 0.0
        assert len(points) == 1 or norm(points[1]).item() == pytest.approx(0.1, rel=1e-12)


def test_does_not_depend_on_the_scale_of_the_loss(looks: Looks) -> None:
    assert torch.equal(looks("looksam", rho=0.1)[0][1], looks("looksam", rho=0.1, scale=4.0)[0][1])


def test_resumes_in_any_phase(check_resume: CheckResume) -> None:
    check_resume("looksam", steps=8, rho=0.1, k=3)


def test_a_bad_gradient_postpones_the_look(make_net: MakeNet, batches: Pairs, closure_of: ClosureOf) -> None:
    model = make_net()
    optimizer = samcli.optim.build("looksam", torch.optim.SGD(model.parameters(), lr=0.01), model=model, k=3)
    poisoned = (batches[3][0] * float("inf"), batches[3][1])
    passes = []
    for index in range(7):
        batch = closure_of(model, poisoned if index == 3 else batches[index])
        statistics = {name: buffer.clone() for name, buffer in model.norm.named_buffers()}
        optimizer.step(batch)
        if index == 3:
            model.norm.load_state_dict(statistics, strict=False)
        passes.append(batch.evaluated // 16)
    assert passes == [2, 1, 1, 1, 2, 1, 1]
    assert all(bool(torch.isfinite(p).all()) for p in model.parameters())


def test_micro_batches_reuse_the_sum_of_their_parts() -> None:
    x, y = torch.randn(6, 2, dtype=torch.float64), torch.randn(6, 3, dtype=torch.float64)

    def across(rows: slice, m: int | None = None) -> Tensor:
        torch.manual_seed(0)
        model = torch.nn.Linear(2, 3).double()
        optimizer = samcli.optim.build("looksam", torch.optim.SGD(model.parameters(), lr=0.1), model=model, m=m)
        optimizer.step(samcli.optim.Batch(model, torch.nn.functional.mse_loss, x[rows], y[rows]))
        kept = optimizer.state_dict()["sharpness_aware"]["state"]["memory"]["across"]
        return torch.cat([tensor.flatten() for tensor in kept.values()])

    torch.testing.assert_close(across(slice(0, 6), m=3), across(slice(0, 3)) + across(slice(3, 6)))
