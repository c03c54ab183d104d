"""The norm of the scaled gradient; its invariance is tested with that of the worst-case measures."""

import pytest
import torch
from torch import Tensor, nn

from samcli.sharpness import MEASURES, Problem


def examples() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    return torch.randn(60, 4, generator=generator), torch.randint(3, (60,), generator=generator)


def test_adaptive_gradient_norm() -> None:
    torch.manual_seed(1)
    model, (x, y) = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)), examples()
    problem = Problem(model, nn.functional.cross_entropy, [(x, y)], 0)
    gradient = torch.autograd.grad(nn.functional.cross_entropy(model(x), y), list(model.parameters()))
    scaled = [
        g * (p.detach().abs() + 0.05 if n.endswith("weight") else 1.0)
        for g, (n, p) in zip(gradient, model.named_parameters(), strict=True)
    ]
    found = MEASURES.create("grad-norm-adaptive", eta=0.05, scale="weights").of(problem)
    assert found.value == pytest.approx(float(torch.cat([s.flatten() for s in scaled]).norm()), rel=1e-6)
    assert found.details["eta"] == 0.05


def test_gradient_norm() -> None:
    torch.manual_seed(1)
    model, (x, y) = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)), examples()
    gradient = torch.autograd.grad(nn.functional.cross_entropy(model(x), y), list(model.parameters()))
    found = MEASURES.create("grad-norm").of(Problem(model, nn.functional.cross_entropy, [(x, y)], 0))
    assert found.value == pytest.approx(torch.cat([g.flatten() for g in gradient]).norm().item(), rel=1e-6)
