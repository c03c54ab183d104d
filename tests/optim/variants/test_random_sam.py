"""Random SAM against a plain twin and SAM."""

import pytest
import torch
from torch import Tensor
from twins import CheckResume, CheckTwin, Looks, Point, Trained

from samcli.optim import BASES


def filter_deviation(point: Point, sigma: float) -> Tensor:
    """σ times the norm of the filter that an element belongs to."""
    result = torch.empty_like(point.w)
    for name, place in point.names.items():
        w = point.model.get_parameter(name).detach()
        norms = w.flatten(1).norm(dim=1).repeat_interleave(w[0].numel()) if w.dim() > 1 else w.norm().expand(len(w))
        result[place] = sigma * norms
    return result


@pytest.mark.parametrize("base", list(BASES))
def test_is_its_plain_twin(check_twin: CheckTwin, base: str) -> None:
    def rule(point: Point) -> Tensor:
        noise = filter_deviation(point, 0.1) * point.noise()
        g = point.grad(point.w + noise)
        for name, place in point.names.items():
            if "unused" in name:  # what has no gradient stays where it is
                noise[place] = 0.0
        direction = noise + 1.5 * g
        return point.grad(point.w + 0.1 * direction / direction.norm())

    check_twin("random-sam", rule, base, rho=0.1, sigma=0.1, lam=1.5)


def test_without_noise_is_sam(trained: Trained) -> None:
    """Up to the rounding of a product with λ before the direction is normalised."""
    plain = trained("sam", rho=0.1)
    torch.testing.assert_close(trained("random-sam", rho=0.1, sigma=0.0), plain, rtol=1e-4, atol=1e-6)
    assert not torch.allclose(trained("random-sam", rho=0.1, sigma=0.1), plain, rtol=1e-3)


def test_passes_and_radius(looks: Looks) -> None:
    (noise, epsilon), *more = looks("random-sam", rho=0.3, sigma=0.1)
    assert not more
    assert noise.norm() > 0
    assert epsilon.norm().item() == pytest.approx(0.3)
    assert not torch.equal(looks("random-sam", rho=0.3, sigma=0.1, scale=8.0)[0][1], epsilon)


def test_noise_is_another_at_each_step_and_seed(looks: Looks) -> None:
    first, second = (passes[0] for passes in looks("random-sam", steps=2))
    other = looks("random-sam", seed=1)[0][0]
    assert abs(torch.cosine_similarity(first, second, dim=0)) < 0.3
    assert abs(torch.cosine_similarity(first, other, dim=0)) < 0.3


def test_resume_draws_the_same_noise(check_resume: CheckResume) -> None:
    check_resume("random-sam")
