"""Unnormalised SAM against a plain twin."""

import pytest
import torch
from torch import Tensor
from twins import CheckResume, CheckTwin, Looks, Point

from samcli.optim import BASES


@pytest.mark.parametrize("base", list(BASES))
def test_is_its_plain_twin(check_twin: CheckTwin, base: str) -> None:
    def rule(point: Point) -> Tensor:
        return point.grad(point.w + 0.05 * point.grad(point.w))

    check_twin("usam", rule, base, rho=0.05)


def test_epsilon_grows_with_the_loss(looks: Looks) -> None:
    """It has no radius of its own: ε = ρ g."""
    (first, one), (_, two) = looks("usam", rho=0.05)[0], looks("usam", rho=0.05, scale=2.0)[0]
    assert not first.any()
    torch.testing.assert_close(two, 2.0 * one)


def test_resume(check_resume: CheckResume) -> None:
    check_resume("usam")
