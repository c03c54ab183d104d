"""Random SAM against a plain twin and SAM."""

from typing import Any

import pytest
import torch
from torch import Tensor

from samcli.optim import BASES


def filter_deviation(point: Any, sigma: float) -> Tensor:
    """σ times the norm of the filter that an element belongs to."""
    result = torch.empty_like(point.w)
    for name, place in point.names.items():
        w = point.model.get_parameter(name).detach()
        norms = w.flatten(1).norm(dim=1).repeat_interleave(w[0].numel()) if w.dim() > 1 else w.norm().expand(len(w))
        result[place] = sigma * norms
    return result


@pytest.mark.parametrize("base", list(BASES))
def test_is_its_plain_twin(check_twin: Any, base: str):
    def rule(point: Any) -> Tensor:
        displaced = point.w + filter_deviation(point, 0.1) * point.noise()
        g = point.grad(displaced)
        return point.grad(displaced + 0.1 * g / g.norm())

    check_twin("random-sam", rule, base, rho=0.1, sigma=0.1)


def test_without_noise_is_sam_bit_for_bit(trained: Any):
    assert torch.equal(trained("random-sam", rho=0.1, sigma=0.0), trained("sam", rho=0.1))
    assert not torch.equal(trained("random-sam", rho=0.1, sigma=0.1), trained("sam", rho=0.1))


def test_passes_radius_and_loss_scale(looks: Any):
    one, eight = (looks("random-sam", rho=0.3, sigma=0.1, scale=s)[0] for s in (1.0, 8.0))
    assert all(torch.equal(a, b) for a, b in zip(one, eight, strict=True))
    noise, epsilon = one
    noise = noise.masked_fill(epsilon == 0, 0.0)  # a parameter that turned out to be unused stays where it is
    assert noise.norm() > 0
    assert (epsilon - noise).norm().item() == pytest.approx(0.3)


def test_noise_is_another_at_each_step_and_seed(looks: Any):
    first, second = (passes[0] for passes in looks("random-sam", steps=2))
    other = looks("random-sam", seed=1)[0][0]
    assert abs(torch.cosine_similarity(first, second, dim=0)) < 0.3
    assert abs(torch.cosine_similarity(first, other, dim=0)) < 0.3


def test_resume_draws_the_same_noise(check_resume: Any):
    check_resume("random-sam")
