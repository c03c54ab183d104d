"""The ends of the spectrum against exact Hessians and closed forms; more of both in test_curvature.py."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from samcli import sharpness
from samcli.sharpness import Result

Loss = Callable[[Tensor, Tensor], Tensor]
Batches = list[tuple[Tensor, Tensor]]
Exact = Callable[[nn.Module, Tensor, Tensor], Tensor]
cross_entropy = nn.functional.cross_entropy


def examples() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    return torch.randn(60, 4, generator=generator), torch.randint(3, (60,), generator=generator)


def mlp(dtype: torch.dtype = torch.float32) -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)).to(dtype)


def measured(
    model: nn.Module, data: Batches, name: str = "lambda-max", loss: Loss = cross_entropy, **options: Any
) -> Result:
    return sharpness.measure(model, loss, data, [name], **options)[name]


def test_small_network(exact_hessian: Exact) -> None:
    model, (x, y) = mlp(torch.float64), examples()
    expected = torch.linalg.eigvalsh(exact_hessian(model, x.double(), y))[-1].item()
    result = measured(model, [(x.double(), y)])
    assert result.converged
    # two guard steps beyond an error of 1e-3, each of which makes it some five times smaller
    assert result.value == pytest.approx(expected, rel=1e-4)
    assert abs(result.value - expected) / expected <= result.details["error"] <= 1e-3
    assert result.details["products"] < 51  # fewer than there are parameters


def test_linear_regression_in_single_precision() -> None:
    """The Hessian of the mean square is 2 XᵀX / n."""
    x, _ = examples()
    model = nn.Linear(4, 1, bias=False)
    expected = torch.linalg.eigvalsh(2 * x.T @ x / len(x))[-1].item()
    data = [(x[:7], torch.zeros(7, 1)), (x[7:], torch.ones(53, 1))]
    assert measured(model, data, loss=nn.functional.mse_loss).value == pytest.approx(expected, rel=1e-5)


def test_dominant_negative_eigenvalue() -> None:
    """The largest eigenvalue has its sign: it is not that of the largest size."""
    a = torch.diag(torch.tensor([-50.0, 3.0, 2.0, 1.0] + [0.1] * 30, dtype=torch.float64))
    model = nn.Linear(34, 1, bias=False, dtype=torch.float64)

    def loss(output: Tensor, target: Tensor) -> Tensor:
        return 0.5 * (model.weight @ a @ model.weight.T).squeeze() + 0.0 * output.sum()

    data = [(torch.zeros(3, 34, dtype=torch.float64), torch.zeros(3))]
    assert measured(model, data, loss=loss).value == pytest.approx(3.0, rel=1e-3)
    assert measured(model, data, "lambda-min", loss).value == pytest.approx(-50.0, rel=1e-6)


def test_too_few_iterations_are_not_called_converged() -> None:
    model, (x, y) = mlp(), examples()
    result = measured(model, [(x, y)], max_iterations=2)
    assert not result.converged
    assert result.details["error"] > result.details["tolerance"]
    assert result.details["products"] == 2
