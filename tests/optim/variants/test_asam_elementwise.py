"""The rule that packages call adaptive, against a plain twin and one of those packages."""

import pytest
import torch
from pytorch_optimizer import SAM as IndependentSAM
from torch import Tensor, nn
from twins import (
    CheckResume,
    CheckTwin,
    ClosureOf,
    Looks,
    MakeNet,
    Pairs,
    Point,
    Trained,
    TwoSteps,
    check_against_package,
)

import samcli.optim
from samcli.optim import BASES


@pytest.mark.parametrize("base", list(BASES))
@pytest.mark.parametrize("p", [2.0, float("inf")])
@pytest.mark.parametrize("eta", [0.0, 0.01])
def test_is_its_plain_twin(check_twin: CheckTwin, eta: float, p: float, base: str) -> None:
    rho = 0.5 if p == 2.0 else 0.01

    def rule(point: Point) -> Tensor:
        g, t = point.grad(point.w), point.w.abs() + eta
        epsilon = t * t * g / (t * g).norm() if p == 2.0 else t * (t * g).sign()
        return point.grad(point.w + rho * epsilon)

    check_twin("asam-elementwise", rule, base, rho=rho, eta=eta, norm=p)


def test_agrees_with_an_independent_package(batches: Pairs, closure_of: ClosureOf) -> None:
    def ours(model: nn.Module) -> samcli.optim.SharpnessAware:
        base = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        return samcli.optim.build("asam-elementwise", base, rho=2.0)

    def theirs(model: nn.Module) -> TwoSteps:
        return IndependentSAM(
            model.parameters(), base_optimizer=torch.optim.SGD, rho=2.0, adaptive=True, lr=0.1, momentum=0.9
        )

    check_against_package(batches, closure_of, ours, theirs)


def test_is_another_rule_than_asam(trained: Trained) -> None:
    assert not torch.allclose(trained("asam-elementwise", rho=0.5, eta=0.01), trained("asam", rho=0.5, eta=0.01))


def test_large_eta_is_sam(trained: Trained) -> None:
    """T = |w| + η ≈ η, so ε ≈ ρ η g/‖g‖."""
    torch.testing.assert_close(
        trained("asam-elementwise", rho=0.1 / 1e6, eta=1e6), trained("sam", rho=0.1), rtol=1e-5, atol=1e-6
    )


def test_radius_and_loss_scale(looks: Looks, make_net: MakeNet) -> None:
    (first, one), (_, eight) = (looks("asam-elementwise", rho=0.5, eta=0.1, scale=s)[0] for s in (1.0, 8.0))
    assert not first.any()
    assert torch.equal(one, eight)
    w = torch.cat([p.detach().double().flatten() for p in make_net().parameters() if p.requires_grad])
    assert (one / (w.abs() + 0.1)).norm().item() == pytest.approx(0.5)


def test_resume(check_resume: CheckResume) -> None:
    check_resume("asam-elementwise")
