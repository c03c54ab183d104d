"""Random weight perturbation against a plain twin and the base optimizer."""

import pytest
import torch
from torch import Tensor
from twins import CheckResume, CheckTwin, Looks, MakeNet, Point, Trained

from samcli.optim import BASES


def filter_deviation(point: Point, gamma: float) -> Tensor:
    """γ times the norm of the filter that an element belongs to."""
    result = torch.empty_like(point.w)
    for name, place in point.names.items():
        w = point.model.get_parameter(name).detach()
        norms = w.flatten(1).norm(dim=1).repeat_interleave(w[0].numel()) if w.dim() > 1 else w.norm().expand(len(w))
        result[place] = gamma * norms
    return result


@pytest.mark.parametrize("base", list(BASES))
@pytest.mark.parametrize("alpha", [0.5, 0.8, 1.0])
def test_is_its_plain_twin(check_twin: CheckTwin, alpha: float, base: str) -> None:
    def rule(point: Point) -> Tensor:
        displaced = point.w + filter_deviation(point, 0.05) * point.noise()
        if alpha == 1.0:
            return point.grad(displaced)
        g = point.grad(point.w)
        return alpha * point.grad(displaced) + (1 - alpha) * g

    check_twin("rwp", rule, base, rho=0.05, alpha=alpha)


def test_without_alpha_is_the_base_bit_for_bit(trained: Trained) -> None:
    assert torch.equal(trained("rwp", rho=0.1, alpha=0.0), trained("sam", rho=0.0))
    assert not torch.equal(trained("rwp", rho=0.1), trained("sam", rho=0.0))


@pytest.mark.parametrize(("alpha", "passes"), [(0.0, 1), (0.5, 2), (1.0, 1)])
def test_passes(looks: Looks, alpha: float, passes: int) -> None:
    assert [len(step) for step in looks("rwp", steps=3, alpha=alpha)] == [passes] * 3


def test_noise_scales_with_each_filter(looks: Looks, make_net: MakeNet) -> None:
    """Over many steps at nearly the same weights the deviation is ρ‖w_f‖ for each filter."""
    noise = torch.stack([passes[1] for passes in looks("rwp", steps=20, rho=1e-3, alpha=0.5)])
    net = make_net()
    weight = net.conv.weight.detach().flatten(1)
    expected = 1e-3 * weight.norm(dim=1)
    got = noise[:, : weight.numel()].view(20, 4, 9).std(dim=(0, 2)).float()
    torch.testing.assert_close(got, expected, rtol=0.25, atol=0.0)


def test_resume_draws_the_same_noise(check_resume: CheckResume) -> None:
    check_resume("rwp")
    check_resume("rwp", alpha=1.0)
