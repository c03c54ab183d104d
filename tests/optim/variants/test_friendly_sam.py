"""Friendly SAM against a plain twin, an independent package, and SAM."""

import pytest
import torch
from pytorch_optimizer import FriendlySAM as IndependentFriendlySAM
from torch import Tensor, nn
from twins import CheckResume, CheckTwin, ClosureOf, Looks, Pairs, Point, Trained, TwoSteps, check_against_package

import samcli.optim
from samcli.optim import BASES


@pytest.mark.parametrize("base", list(BASES))
@pytest.mark.parametrize("sigma", [1.0, 0.6])
def test_is_its_plain_twin(check_twin: CheckTwin, sigma: float, base: str) -> None:
    def rule(point: Point) -> Tensor:
        g = point.grad(point.w)
        if point.t == 0:
            d = g
            point.state["m"] = g.clone()
        else:
            d = g - sigma * point.state["m"]
            point.state["m"] = 0.7 * point.state["m"] + 0.3 * g
        return point.grad(point.w + 0.05 * d / d.norm())

    check_twin("friendly-sam", rule, base, rho=0.05, sigma=sigma, decay=0.7)


@pytest.mark.parametrize("sigma", [1.0, 0.6])
def test_agrees_with_an_independent_package(batches: Pairs, closure_of: ClosureOf, sigma: float) -> None:
    def ours(model: nn.Module) -> samcli.optim.SharpnessAware:
        base = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        return samcli.optim.build("friendly-sam", base, rho=0.1, sigma=sigma, decay=0.8)

    def theirs(model: nn.Module) -> TwoSteps:
        options = {"lmbda": 0.8, "lr": 0.1, "momentum": 0.9, "foreach": False}
        return IndependentFriendlySAM(model.parameters(), torch.optim.SGD, rho=0.1, sigma=sigma, **options)

    check_against_package(batches, closure_of, ours, theirs)


def test_without_sigma_is_sam_bit_for_bit(trained: Trained) -> None:
    assert torch.equal(trained("friendly-sam", rho=0.1, sigma=0.0), trained("sam", rho=0.1))
    assert not torch.equal(trained("friendly-sam", rho=0.1), trained("sam", rho=0.1))


def test_full_sigma_is_the_formula_with_the_updated_mean(trained: Trained, check_twin: CheckTwin) -> None:
    """For σ = 1 it does not matter whether g joins the mean before or after it is subtracted."""

    def rule(point: Point) -> Tensor:
        g = point.grad(point.w)
        m = point.state.get("m", g)
        m = point.state["m"] = 0.7 * m + 0.3 * g
        d = g - m if point.t else g
        return point.grad(point.w + 0.05 * d / d.norm())

    check_twin("friendly-sam", rule, rho=0.05, sigma=1.0, decay=0.7)


def test_passes_radius_and_loss_scale(looks: Looks) -> None:
    one, eight = (looks("friendly-sam", steps=1, rho=0.3, scale=s) for s in (1.0, 8.0))
    assert all(torch.equal(a, b) for a, b in zip(one[0], eight[0], strict=True))
    for first, epsilon in looks("friendly-sam", steps=4, rho=0.3):
        assert not first.any()
        assert epsilon.norm().item() == pytest.approx(0.3)


def test_resume_in_the_middle_of_the_mean(check_resume: CheckResume) -> None:
    check_resume("friendly-sam")
