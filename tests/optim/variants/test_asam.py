"""ASAM against a plain twin and SAM."""

import pytest
import torch
from torch import Tensor, nn
from twins import CheckTwin, Point

import samcli.optim
from samcli.optim import BASES


def norm(x: Tensor) -> Tensor:
    return torch.linalg.vector_norm(x)


@pytest.mark.parametrize("base", list(BASES))
@pytest.mark.parametrize("p", [2.0, float("inf")])
def test_asam_is_its_plain_twin(check_twin: CheckTwin, p: float, base: str) -> None:
    rho = 0.5 if p == 2.0 else 0.01

    def rule(point: Point) -> Tensor:
        g, t = point.grad(point.w), torch.ones_like(point.w)
        for name, place in point.names.items():
            if "weight" in name:
                t[place] = point.w[place].abs() + 0.01
        if p == float("inf"):
            return point.grad(point.w + rho * t * (t * g).sign())
        return point.grad(point.w + rho * t * t * g / norm(t * g))

    check_twin("asam", rule, base, rho=rho, norm=p)


def test_asam_on_equal_weights_is_sam() -> None:
    """With |w| = 1 everywhere and η = 0 the scaling T is the identity."""
    results = []
    for variant, options in (("sam", {}), ("asam", {"eta": 0.0})):
        model = nn.Linear(3, 1, bias=False)
        nn.init.ones_(model.weight)
        optimizer = samcli.optim.build(
            variant, torch.optim.SGD(model.parameters(), lr=0.1), model=model, rho=0.2, **options
        )

        def closure(model: nn.Module = model) -> Tensor:
            model.zero_grad()
            loss = model(torch.tensor([[1.0, 2.0, 3.0]])).square().sum()
            loss.backward()
            return loss

        optimizer.step(closure)
        results.append(model.weight.detach().clone())
    torch.testing.assert_close(*results)
