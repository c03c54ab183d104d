"""The largest eigenvalue of matrices whose spectrum is known."""

import pytest
import torch
from torch import Tensor

from samcli.sharpness.spectrum.lanczos import Eigenvalue, Lanczos, Operator, extreme_eigenvalue


def matrix(eigenvalues: list[float], dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    q, _ = torch.linalg.qr(torch.randn(len(eigenvalues), len(eigenvalues), generator=generator, dtype=dtype))
    return (q * torch.tensor(eigenvalues, dtype=dtype)) @ q.T


def start(n: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(n, generator=torch.Generator().manual_seed(1), dtype=dtype)


def largest_eigenvalue(operator: Operator, start: Tensor, *, tolerance: float, max_iterations: int) -> Eigenvalue:
    run = Lanczos(operator, start)
    return extreme_eigenvalue(run, largest=True, tolerance=tolerance, max_iterations=max_iterations)


@pytest.mark.parametrize(
    "eigenvalues",
    [
        [5.0, 3.0, 1.0] + [0.1 * i for i in range(10)],
        [-50.0, -20.0, 2.0, 1.9] + [0.0] * 30,  # a dominant negative eigenvalue is passed over
        [-3.0, -2.0, -1.0],  # all negative: the one nearest zero
        [1.0] * 20,
        [7.0],
        [1e-6, 1e-7, 1e-8],
        [0.0] * 8,
    ],
)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_known_spectra(eigenvalues: list[float], dtype: torch.dtype):
    a = matrix(eigenvalues, dtype)
    found = largest_eigenvalue(a.mv, start(len(a), dtype), tolerance=1e-3, max_iterations=100)
    assert found.converged
    # relative to the size of the matrix: its rounding in fp32 is 1e-7 of that
    assert found.value == pytest.approx(max(eigenvalues), abs=1e-5 * max(map(abs, eigenvalues)))
    assert found.error <= 1e-3


def test_start_vector_with_little_of_the_largest_eigenvector():
    """The first small residual belongs to the next eigenvalue; the guard steps find the largest."""
    diagonal = torch.tensor([2.0, 1.0, 0.5, 0.2, 0.1], dtype=torch.float64)
    v = torch.tensor([1e-4, 1.0, 1e-3, 1e-3, 1e-3], dtype=torch.float64)
    found = largest_eigenvalue(lambda x: diagonal * x, v, tolerance=1e-2, max_iterations=100)
    assert found.value == pytest.approx(2.0, rel=1e-3)


def test_too_few_iterations_are_not_called_converged():
    a = matrix([float(i) for i in range(200)])
    found = largest_eigenvalue(a.mv, start(200), tolerance=1e-6, max_iterations=3)
    assert not found.converged
    assert found.error > 1e-6
    assert found.products == 3
    assert found.value < 199.0


def test_products_are_counted():
    calls = 0
    a = matrix([float(i) ** 3 for i in range(50)])

    def operator(v: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        return a.mv(v)

    found = largest_eigenvalue(operator, start(50), tolerance=1e-3, max_iterations=100)
    assert calls == found.products < 50
