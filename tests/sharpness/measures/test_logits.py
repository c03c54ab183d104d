"""Losses of normalised logits against a network that normalises by itself."""

import pytest
import torch
from torch import Tensor, nn

from samcli.errors import NotApplicable
from samcli.sharpness import Problem
from samcli.sharpness.measures._logits import with_normalised_logits

cross_entropy = nn.functional.cross_entropy


def problem(model: nn.Module) -> Problem:
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(20, 4, generator=generator, dtype=torch.float64)
    return Problem(model, cross_entropy, [(x, torch.randint(3, (20,), generator=generator))], seed=0)


def mlp() -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)).double()


class Normalised(nn.Module):
    """The network with its logits normalised as its last layer."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        f = self.model(x)
        f = f - f.mean(1, keepdim=True)
        return f / f.norm(dim=1, keepdim=True)


def test_loss_and_gradient_are_those_of_a_normalising_network() -> None:
    """To fp64 rounding."""
    loss, gradient = with_normalised_logits(problem(mlp())).loss_and_gradient
    expected, exact = problem(Normalised(mlp())).loss_and_gradient
    assert loss == pytest.approx(expected, rel=1e-12)
    for found, true in zip(gradient, exact, strict=True):
        torch.testing.assert_close(found, true, rtol=1e-9, atol=1e-12)


def test_one_problem_has_one_normalised_problem() -> None:
    """So that measures share what they compute of it."""
    whole = problem(mlp())
    assert with_normalised_logits(whole) is with_normalised_logits(whole)


def test_equal_logits_stay_equal() -> None:
    """Nothing is divided by their length, which is zero."""
    model = mlp()
    nn.init.zeros_(model[2].weight)
    nn.init.zeros_(model[2].bias)
    assert with_normalised_logits(problem(model)).loss_at() == pytest.approx(torch.tensor(3.0).log().item(), rel=1e-6)


def test_one_output_cannot_be_normalised() -> None:
    regression = Problem(nn.Linear(4, 1), lambda o, t: o.square().mean(), [(torch.ones(2, 4), torch.ones(2))], seed=0)
    with pytest.raises(NotApplicable, match="cannot be normalised"):
        with_normalised_logits(regression).loss_at()
