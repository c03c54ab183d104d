"""The Krylov space against the matrix itself, and the ends of spectra that are known."""

import pytest
import torch
from spectra import BULK, Counted, matrix, start
from torch import Tensor

from samcli.sharpness.spectrum.lanczos import Eigenvalue, Lanczos, Operator, extreme_eigenvalue, grow


def test_ritz_pairs_are_those_of_the_projection() -> None:
    """V is orthonormal and AV = VT + β v eᵀ: the residuals that come without a product are the true ones."""
    a = matrix([*BULK, 30.0, -8.0, 5.0])
    space = Lanczos(a.mv, start(a))
    ritz = space.ritz(25)
    basis = torch.stack(space.basis.vectors)
    torch.testing.assert_close(basis @ basis.T, torch.eye(26, dtype=torch.float64), atol=1e-13, rtol=0)
    projected = basis[:25] @ a @ basis[:25].T
    torch.testing.assert_close(torch.linalg.eigvalsh(projected), ritz.values, atol=1e-12, rtol=0)
    for i in range(25):
        x = space.basis.combination(ritz.coordinates[:, i])
        assert float((a @ x - ritz.values[i] * x).norm()) == pytest.approx(float(ritz.residuals[i]), abs=1e-11)


def test_basis_stays_orthogonal_in_single_precision() -> None:
    """Without reorthogonalisation it is lost as soon as a Ritz value converges."""
    a = matrix([*BULK, 3000.0, 200.0], torch.float32)
    space = Lanczos(a.mv, start(a))
    space.ritz(60)
    basis = torch.stack(space.basis.vectors).double()
    assert float((basis @ basis.T - torch.eye(len(basis))).abs().max()) < 5e-6


def test_a_space_that_has_grown_for_others_answers_the_same() -> None:
    a = matrix([*BULK, 30.0, -8.0, 5.0])
    fresh, grown = (Lanczos(Counted(a), start(a)) for _ in range(2))
    grown.ritz(70)
    for largest in (True, False):
        one, other = (
            extreme_eigenvalue(space, largest=largest, tolerance=1e-3, max_iterations=100) for space in (fresh, grown)
        )
        assert one == other
    assert grown.operator.calls == 70
    assert fresh.operator.calls < 70


def test_a_space_ends_with_the_whole() -> None:
    a = matrix([3.0, 2.0, 1.0, -1.0])
    space = Lanczos(a.mv, start(a))
    assert space.ritz(50).steps == 4
    assert space.ritz(50).ended
    assert space.ritz(50).values.tolist() == pytest.approx([-1.0, 1.0, 2.0, 3.0])


@pytest.mark.parametrize("eigenvalues", [[-50.0, -20.0, 2.0, 1.9] + [0.0] * 30, [*BULK, -0.5], [1.0] * 20, [0.0] * 8])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_smallest_eigenvalue(eigenvalues: list[float], dtype: torch.dtype) -> None:
    a = matrix(eigenvalues, dtype)
    found = extreme_eigenvalue(Lanczos(a.mv, start(a)), largest=False, tolerance=1e-3, max_iterations=100)
    assert found.converged
    assert found.value == pytest.approx(min(eigenvalues), abs=1e-4 * max(map(abs, eigenvalues)))


def test_growing_takes_guard_steps_and_ends_with_the_space() -> None:
    """Settled Ritz pairs have to stay so for the guard steps; a space that cannot grow is settled as it is."""
    a = matrix([*BULK, 30.0, -8.0, 5.0])
    ritz, settled = grow(Lanczos(a.mv, start(a)), lambda ritz: ritz.steps >= 4, max_steps=50)
    assert (ritz.steps, settled) == (7, True)
    ritz, settled = grow(Lanczos(a.mv, start(a)), lambda ritz: ritz.steps != 3, max_steps=50)  # interrupted
    assert (ritz.steps, settled) == (7, True)
    ritz, settled = grow(Lanczos(a.mv, start(a)), lambda ritz: False, max_steps=10)
    assert (ritz.steps, settled) == (10, False)
    small = matrix([3.0, 1.0])
    ritz, settled = grow(Lanczos(small.mv, start(small)), lambda ritz: False, max_steps=10)
    assert (ritz.steps, settled) == (2, True)


def largest_eigenvalue(operator: Operator, start: Tensor, *, tolerance: float, max_iterations: int) -> Eigenvalue:
    space = Lanczos(operator, start)
    return extreme_eigenvalue(space, largest=True, tolerance=tolerance, max_iterations=max_iterations)


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
def test_known_spectra(eigenvalues: list[float], dtype: torch.dtype) -> None:
    a = matrix(eigenvalues, dtype)
    found = largest_eigenvalue(a.mv, start(a), tolerance=1e-3, max_iterations=100)
    assert found.converged
    # relative to the size of the matrix: its rounding in fp32 is 1e-7 of that
    assert found.value == pytest.approx(max(eigenvalues), abs=1e-5 * max(map(abs, eigenvalues)))
    assert found.error <= 1e-3


def test_start_vector_with_little_of_the_largest_eigenvector() -> None:
    """The first small residual belongs to the next eigenvalue; the guard steps find the largest."""
    diagonal = torch.tensor([2.0, 1.0, 0.5, 0.2, 0.1], dtype=torch.float64)
    v = torch.tensor([1e-4, 1.0, 1e-3, 1e-3, 1e-3], dtype=torch.float64)
    found = largest_eigenvalue(lambda x: diagonal * x, v, tolerance=1e-2, max_iterations=100)
    assert found.value == pytest.approx(2.0, rel=1e-3)


def test_too_few_iterations_are_not_called_converged() -> None:
    a = matrix([float(i) for i in range(200)])
    found = largest_eigenvalue(a.mv, start(a), tolerance=1e-6, max_iterations=3)
    assert not found.converged
    assert found.error > 1e-6
    assert found.products == 3
    assert found.value < 199.0


def test_products_are_counted() -> None:
    operator = Counted(matrix([float(i) ** 3 for i in range(50)]))
    found = largest_eigenvalue(operator, start(operator.a), tolerance=1e-3, max_iterations=100)
    assert operator.calls == found.products < 50
