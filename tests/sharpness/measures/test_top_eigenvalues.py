"""The first eigenvalues of Hessians that are known; more in test_curvature.py and spectrum/test_leading.py."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from samcli import sharpness

Loss = Callable[[Tensor, Tensor], Tensor]
Batches = list[tuple[Tensor, Tensor]]
CROSS_ENTROPY = nn.functional.cross_entropy


def examples() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(60, 4, generator=generator, dtype=torch.float64)
    return x, torch.randint(3, (60,), generator=generator)


def measure(
    model: nn.Module,
    names: list[str],
    data: Batches | None = None,
    loss: Loss = CROSS_ENTROPY,
    **options: Any,
) -> dict[str, sharpness.Result]:
    return sharpness.measure(model, loss, data or [examples()], names, **options)


class Quadratic(nn.Module):
    """½ wᵀ A w, which has the Hessian A."""

    def __init__(self, a: Tensor) -> None:
        super().__init__()
        self.a, self.w = a, nn.Parameter(torch.ones(len(a), dtype=a.dtype))

    def forward(self, x: Tensor) -> Tensor:
        return (0.5 * self.w @ self.a @ self.w).expand(len(x))


def test_softmax_regression_at_zero() -> None:
    """The Hessian is (diag(p) - p pᵀ) ⊗ XᵀX / n, p = 1/C: each of its eigenvalues is double for C = 3."""
    x, y = examples()
    model = nn.Linear(4, 3, bias=False).double()
    nn.init.zeros_(model.weight)
    single = torch.linalg.eigvalsh(x.T @ x / len(x)) / 3
    expected = sorted([*single.tolist()] * 2, reverse=True)
    found = measure(model, ["top-eigenvalues", "trace", "gauss-newton-trace", "frobenius"], [(x, y)], k=6)
    top = found["top-eigenvalues"]
    assert top.converged
    assert top.details["values"] == pytest.approx(expected[:6], rel=1e-5)
    assert top.details["starts"] > 1
    for name in ("trace", "gauss-newton-trace"):
        assert abs(found[name].value - sum(expected)) <= 3 * found[name].stderr + 1e-12
    assert found["frobenius"].value == pytest.approx(math.hypot(*expected), abs=3 * found["frobenius"].stderr + 1e-12)


def test_first_by_size() -> None:
    """A dominant negative eigenvalue is the first by magnitude, and none of the largest."""
    eigenvalues = torch.tensor([-50.0, 3.0, 2.0, 1.0] + [0.1] * 30, dtype=torch.float64)
    q, _ = torch.linalg.qr(torch.randn(34, 34, generator=torch.Generator().manual_seed(0), dtype=torch.float64))
    model, data = Quadratic((q * eigenvalues) @ q.T), [(torch.zeros(3, 1), torch.zeros(3))]
    found, magnitude = (
        measure(model, ["top-eigenvalues"], data, lambda o, t: o.mean(), k=2, which=which)["top-eigenvalues"]
        for which in ("largest", "magnitude")
    )
    assert found.details["values"] == pytest.approx([3.0, 2.0], rel=1e-3)
    assert magnitude.value == pytest.approx(-50.0, rel=1e-6)
    assert magnitude.details["ratio"] == pytest.approx(50 / 3, rel=1e-3)
