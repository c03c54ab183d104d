"""SAM against plain twins and an independent package, with one ascent step and with several."""

import pytest
import torch
from pytorch_optimizer import SAM as IndependentSAM
from torch import Tensor, nn
from twins import CheckTwin, ClosureOf, Looks, Pairs, Point, Trained, TwoSteps, check_against_package, plain_net

import samcli.optim
from samcli.optim import BASES


def norm(x: Tensor) -> Tensor:
    return torch.linalg.vector_norm(x)


@pytest.mark.parametrize("base", list(BASES))
@pytest.mark.parametrize("p", [2.0, float("inf"), 3.0])
def test_sam_is_its_plain_twin(check_twin: CheckTwin, p: float, base: str) -> None:
    rho = 0.05 if p == 2.0 else 0.01

    def rule(point: Point) -> Tensor:
        g = point.grad(point.w)
        if p == float("inf"):
            return point.grad(point.w + rho * g.sign())
        q = p / (p - 1)
        size = g.abs() ** (q - 1)
        return point.grad(point.w + rho * g.sign() * size / (g.abs() ** q).sum() ** (1 / p))

    check_twin("sam", rule, base, rho=rho, norm=p)


def test_agrees_with_an_independent_package(batches: Pairs, closure_of: ClosureOf) -> None:
    def ours(model: nn.Module, rho: float = 0.05) -> samcli.optim.SharpnessAware:
        base = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        return samcli.optim.build("sam", base, model=model, rho=rho)

    def theirs(model: nn.Module) -> TwoSteps:
        return IndependentSAM(model.parameters(), base_optimizer=torch.optim.SGD, rho=0.05, lr=0.1, momentum=0.9)

    trained, other = check_against_package(batches, closure_of, ours, theirs), plain_net()
    optimizer = ours(other, rho=0.06)  # a radius that is a little larger is told apart
    for batch in batches:
        optimizer.step(closure_of(other, batch))
    assert any((a - b).abs().max() > 1e-4 for a, b in zip(trained.parameters(), other.parameters(), strict=True))


@pytest.mark.parametrize("base", list(BASES))
@pytest.mark.parametrize("k", [2, 5])
def test_ascent_steps_are_their_plain_twin(check_twin: CheckTwin, k: int, base: str) -> None:
    def rule(point: Point) -> Tensor:
        w = point.w.clone()
        for _ in range(k):
            g = point.grad(w)
            w += 0.2 / k * g / g.norm()
        offset = w - point.w
        if offset.norm() > 0.2:
            offset *= 0.2 / offset.norm()
        return point.grad(point.w + offset)

    check_twin("sam", rule, base, rho=0.2, ascent_steps=k)


def test_ascent_steps_climb_the_weight_decay_too(check_twin: CheckTwin) -> None:
    def rule(point: Point) -> Tensor:
        w = point.w.clone()
        for _ in range(3):
            g = point.grad(w) + 0.01 * w
            w += 0.1 * g / g.norm()
        return point.grad(w)

    check_twin("sam", rule, ascent={"ascent_weight_decay": True}, rho=0.3, ascent_steps=3)


def test_one_ascent_step_is_sam_bit_for_bit(trained: Trained) -> None:
    assert torch.equal(trained("sam", rho=0.1), trained("sam", rho=0.1, ascent_steps=1))
    assert not torch.equal(trained("sam", rho=0.1), trained("sam", rho=0.1, ascent_steps=2))


@pytest.mark.parametrize("k", [1, 2, 4])
@pytest.mark.parametrize("norm", [2.0, 3.0, float("inf")])
def test_passes_and_radius(looks: Looks, k: int, norm: float) -> None:
    (offsets,) = looks("sam", rho=0.3, ascent_steps=k, norm=norm)
    assert len(offsets) == 1 + k
    for index, offset in enumerate(offsets):
        length = torch.linalg.vector_norm(offset, norm).item()
        assert length <= 0.3 * index / k + 1e-9
    assert not offsets[0].any()
    assert torch.linalg.vector_norm(offsets[1], norm).item() == pytest.approx(0.3 / k)


def test_ascent_steps_do_not_see_the_scale_of_the_loss(looks: Looks) -> None:
    one, eight = looks("sam", rho=0.3, ascent_steps=3), looks("sam", rho=0.3, ascent_steps=3, scale=8.0)
    assert all(torch.equal(a, b) for a, b in zip(one[0], eight[0], strict=True))
