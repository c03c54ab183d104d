"""Random directions against a plain twin."""

import pytest
import torch
from torch import Tensor
from twins import CheckResume, CheckTwin, Looks, Point

from samcli.optim import BASES


@pytest.mark.parametrize("base", list(BASES))
def test_is_its_plain_twin(check_twin: CheckTwin, base: str) -> None:
    def rule(point: Point) -> Tensor:
        noise = point.noise()
        return point.grad(point.w + 0.3 * noise / noise.norm())

    check_twin("random-direction", rule, base, rho=0.3)


def test_passes_and_radius(looks: Looks) -> None:
    """One pass a step, always at the distance ρ, whatever the loss."""
    steps = looks("random-direction", rho=0.3, steps=3)
    assert [len(passes) for passes in steps] == [1] * 3
    assert [passes[0].norm().item() for passes in steps] == pytest.approx([0.3] * 3)
    assert torch.equal(looks("random-direction", rho=0.3, scale=8.0)[0][0], steps[0][0])


def test_directions_are_others_at_each_step_and_seed(looks: Looks) -> None:
    first, second = (passes[0] for passes in looks("random-direction", steps=2))
    other = looks("random-direction", seed=1)[0][0]
    assert abs(torch.cosine_similarity(first, second, dim=0)) < 0.3
    assert abs(torch.cosine_similarity(first, other, dim=0)) < 0.3


def test_resume_draws_the_same(check_resume: CheckResume) -> None:
    check_resume("random-direction")
