"""Curvature against curvlinops, an implementation by forward over reverse mode that shares nothing with ours."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from samcli import sharpness

curvlinops = pytest.importorskip("curvlinops", reason="pip install --group oracles")
linalg = pytest.importorskip("scipy.sparse.linalg")

LOSS = nn.CrossEntropyLoss()
Batches = list[tuple[Tensor, Tensor]]


def mlp() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(36, 5), nn.Tanh(), nn.Linear(5, 3))


def cnn() -> nn.Module:
    """With running statistics that differ from those of the data: whoever uses batch statistics gets other values."""
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16, 3)
    )
    nn.init.uniform_(model[1].running_mean, -0.3, 0.3)
    nn.init.uniform_(model[1].running_var, 0.2, 2.0)
    return model


@pytest.fixture(params=[mlp, cnn])
def model(request: pytest.FixtureRequest) -> nn.Module:
    torch.manual_seed(0)
    make: Callable[[], nn.Module] = request.param
    return make().double().eval()


@pytest.fixture
def batches() -> Batches:
    """Ragged ones: a mean over batches is not the mean over examples."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(40, 1, 6, 6, generator=generator, dtype=torch.float64)
    y = torch.randint(3, (40,), generator=generator)
    return list(zip(x.split([33, 7]), y.split([33, 7]), strict=True))


def operator(kind: str, model: nn.Module, batches: Batches) -> Any:
    # It compares the operator on shuffled batches first, which is no part of what is tested.
    return getattr(curvlinops, kind)(model, LOSS, list(model.parameters()), batches, check_deterministic=False)


def matrix(kind: str, model: nn.Module, batches: Batches) -> Tensor:
    a = operator(kind, model, batches)
    return (a @ torch.eye(a.shape[1], dtype=torch.float64)).detach()


@pytest.mark.parametrize(
    ("kind", "product"), [("HessianLinearOperator", "hessian_times"), ("GGNLinearOperator", "gauss_newton_times")]
)
def test_products(kind: str, product: str, model: nn.Module, batches: Batches) -> None:
    """To the rounding of sums in fp64."""
    problem = sharpness.Problem(model, LOSS, batches, seed=0)
    directions = torch.randn(4, problem.dimension, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    expected = (operator(kind, model, batches) @ directions.T).T.detach()
    found = torch.stack([getattr(problem, product)(direction) for direction in directions])
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("kind", "measure"),
    [("HessianLinearOperator", "lambda-max"), ("GGNLinearOperator", "gauss-newton-lambda-max")],
)
def test_largest_eigenvalue(kind: str, measure: str, model: nn.Module, batches: Batches) -> None:
    """Ours to its tolerance; that of eigsh, one on the residual, makes an error of its square."""
    found = sharpness.measure(model, LOSS, batches, [measure], tolerance=1e-9)[measure]
    a = operator(kind, model, batches).to_scipy()
    expected = linalg.eigsh(a, k=1, which="LA", tol=1e-6, return_eigenvectors=False)[0]
    assert found.converged
    assert found.value == pytest.approx(float(expected), rel=1e-9)


def test_smallest_eigenvalue(model: nn.Module, batches: Batches) -> None:
    """Relative to the largest, against which its tolerance is."""
    found = sharpness.measure(model, LOSS, batches, ["lambda-min"], tolerance=1e-9)["lambda-min"]
    ends = torch.linalg.eigvalsh(matrix("HessianLinearOperator", model, batches))[[0, -1]].tolist()
    assert found.converged
    assert found.value == pytest.approx(ends[0], abs=1e-9 * ends[1])


def test_trace_and_norm(model: nn.Module, batches: Batches) -> None:
    """Within three of the standard errors that are reported, which are a few per cent here."""
    names = ["trace", "frobenius", "gauss-newton-trace"]
    found = sharpness.measure(model, LOSS, batches, names, max_products=180)
    h, g = (matrix(f"{kind}LinearOperator", model, batches) for kind in ("Hessian", "GGN"))
    for name, exact in zip(names, (h.trace(), h.norm(), g.trace()), strict=True):
        assert 0.0 < found[name].stderr <= 0.1 * found[name].value, name
        assert abs(found[name].value - float(exact)) <= 3 * found[name].stderr, name
