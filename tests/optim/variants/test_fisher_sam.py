"""Fisher SAM against a plain twin and SAM."""

import pytest
import torch
from torch import Tensor
from twins import CheckResume, CheckTwin, Looks, Point, Trained

from samcli.optim import BASES


@pytest.mark.parametrize("base", list(BASES))
def test_is_its_plain_twin(check_twin: CheckTwin, base: str) -> None:
    def rule(point: Point) -> Tensor:
        g = point.grad(point.w)
        natural = g / (1 + 50.0 * g * g)
        return point.grad(point.w + 0.1 * natural / (g @ natural).sqrt())

    check_twin("fisher-sam", rule, base, rho=0.1, eta=50.0)


def test_without_eta_is_sam_bit_for_bit(trained: Trained) -> None:
    assert torch.equal(trained("fisher-sam", rho=0.1, eta=0.0), trained("sam", rho=0.1))
    assert not torch.equal(trained("fisher-sam", rho=0.1, eta=1.0), trained("sam", rho=0.1))


def test_radius(looks: Looks) -> None:
    """√(εᵀFε) = ρ; g is read off unnormalised SAM, which looks at w + g first for ρ = 1."""
    first, epsilon = looks("fisher-sam", rho=0.3, eta=20.0)[0]
    g = looks("usam", rho=1.0)[0][1]
    assert not first.any()
    assert (epsilon * (1 + 20.0 * g * g) * epsilon).sum().sqrt().item() == pytest.approx(0.3)


def test_climbs_the_weight_decay_but_measures_without(check_twin: CheckTwin) -> None:
    def rule(point: Point) -> Tensor:
        g = point.grad(point.w)
        climbed = g + 0.01 * point.w
        natural = climbed / (1 + 0.2 * g * g)
        return point.grad(point.w + 0.1 * natural / (climbed @ natural).sqrt())

    check_twin("fisher-sam", rule, ascent={"ascent_weight_decay": True}, rho=0.1, eta=0.2)


def test_resume(check_resume: CheckResume) -> None:
    check_resume("fisher-sam")
