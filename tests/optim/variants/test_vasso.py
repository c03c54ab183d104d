"""VaSSO against a plain twin and SAM."""

import pytest
import torch
from torch import Tensor, nn
from twins import CheckResume, CheckTwin, Looks, Point, Trained

import samcli.optim
from samcli.optim import BASES


@pytest.mark.parametrize("base", list(BASES))
@pytest.mark.parametrize("theta", [0.9, 0.2])
def test_is_its_plain_twin(check_twin: CheckTwin, theta: float, base: str) -> None:
    def rule(point: Point) -> Tensor:
        g = point.grad(point.w)
        d = point.state["d"] = (1 - theta) * point.state["d"] + theta * g if point.t else g.clone()
        return point.grad(point.w + 0.05 * d / d.norm())

    check_twin("vasso", rule, base, rho=0.05, theta=theta)


def test_full_theta_is_sam_bit_for_bit(trained: Trained) -> None:
    assert torch.equal(trained("vasso", rho=0.1, theta=1.0), trained("sam", rho=0.1))
    assert not torch.equal(trained("vasso", rho=0.1, theta=0.5), trained("sam", rho=0.1))


def test_passes_and_radius(looks: Looks) -> None:
    for first, epsilon in looks("vasso", steps=4, rho=0.3, theta=0.4):
        assert not first.any()
        assert epsilon.norm().item() == pytest.approx(0.3)


def test_loss_scale(looks: Looks) -> None:
    one, eight = (looks("vasso", rho=0.3, scale=s) for s in (1.0, 8.0))
    assert all(torch.equal(a, b) for a, b in zip(one[0], eight[0], strict=True))


def test_a_late_parameter_starts_with_its_first_gradient() -> None:
    weight, late = nn.Parameter(torch.tensor([1.0])), nn.Parameter(torch.tensor([1.0]))
    optimizer = samcli.optim.build("vasso", torch.optim.SGD([weight, late], lr=0.0), rho=0.1, theta=0.5)

    def closure(both: bool) -> Tensor:
        optimizer.zero_grad()
        loss = 2.0 * weight.sum() + (6.0 * late.sum() if both else 0.0)
        loss.backward()
        return loss

    optimizer.step(lambda: closure(False))
    optimizer.step(lambda: closure(True))
    kept = optimizer.state_dict()["sharpness_aware"]["state"]["memory"]["direction"]
    assert [d.item() for d in kept.values()] == [2.0, 6.0]


def test_resume_in_the_middle_of_the_mean(check_resume: CheckResume) -> None:
    check_resume("vasso", theta=0.3)
