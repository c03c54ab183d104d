"""The Krylov space that measures share, and the first eigenvalues, on matrices whose spectrum is known."""

import pytest
import torch
from torch import Tensor

from samcli.sharpness.spectrum.lanczos import Lanczos, extreme_eigenvalue
from samcli.sharpness.spectrum.leading import Leading, leading_eigenvalues


def matrix(eigenvalues: list[float], dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    q, _ = torch.linalg.qr(torch.randn(len(eigenvalues), len(eigenvalues), generator=generator, dtype=torch.float64))
    return ((q * torch.tensor(eigenvalues, dtype=torch.float64)) @ q.T).to(dtype)


def start(a: Tensor, seed: int = 1) -> Tensor:
    return torch.randn(len(a), generator=torch.Generator().manual_seed(seed), dtype=a.dtype)


class Counted:
    def __init__(self, a: Tensor) -> None:
        self.a, self.calls = a, 0

    def __call__(self, v: Tensor) -> Tensor:
        self.calls += 1
        return self.a.mv(v)


BULK = [0.01 * i for i in range(100)]


def leading(a: Tensor, seed: int = 1, magnitude: bool = False, **options: object) -> tuple[Leading, int]:
    operator = Counted(a)
    settings = {"k": 5, "tolerance": 1e-3, "max_products": 200} | options
    found = leading_eigenvalues(
        Lanczos(operator, start(a, seed)),
        lambda number: start(a, 1000 * seed + number),
        score=abs if magnitude else float,
        **settings,
    )
    return found, operator.calls


def test_ritz_pairs_are_those_of_the_projection():
    """V is orthonormal and AV = VT + β v eᵀ: the residuals that come without a product are the true ones."""
    a = matrix([*BULK, 30.0, -8.0, 5.0])
    run = Lanczos(a.mv, start(a))
    ritz = run.ritz(25)
    basis = torch.stack(run.basis.vectors)
    torch.testing.assert_close(basis @ basis.T, torch.eye(26, dtype=torch.float64), atol=1e-13, rtol=0)
    projected = basis[:25] @ a @ basis[:25].T
    torch.testing.assert_close(torch.linalg.eigvalsh(projected), ritz.values, atol=1e-12, rtol=0)
    for i in range(25):
        x = run.basis.combination(ritz.coordinates[:, i])
        assert float((a @ x - ritz.values[i] * x).norm()) == pytest.approx(float(ritz.residuals[i]), abs=1e-11)


def test_basis_stays_orthogonal_in_single_precision():
    """Without reorthogonalisation it is lost as soon as a Ritz value converges."""
    a = matrix([*BULK, 3000.0, 200.0], torch.float32)
    run = Lanczos(a.mv, start(a))
    run.ritz(60)
    basis = torch.stack(run.basis.vectors).double()
    assert float((basis @ basis.T - torch.eye(len(basis))).abs().max()) < 5e-6


def test_a_space_that_has_grown_for_others_answers_the_same():
    a = matrix([*BULK, 30.0, -8.0, 5.0])
    fresh, grown = (Lanczos(Counted(a), start(a)) for _ in range(2))
    grown.ritz(70)
    for largest in (True, False):
        one, other = (
            extreme_eigenvalue(run, largest=largest, tolerance=1e-3, max_iterations=100) for run in (fresh, grown)
        )
        assert one == other
    assert grown.operator.calls == 70
    assert fresh.operator.calls < 70


def test_a_space_ends_with_the_whole():
    a = matrix([3.0, 2.0, 1.0, -1.0])
    run = Lanczos(a.mv, start(a))
    assert run.ritz(50).steps == 4
    assert run.ritz(50).ended
    assert run.ritz(50).values.tolist() == pytest.approx([-1.0, 1.0, 2.0, 3.0])


@pytest.mark.parametrize("eigenvalues", [[-50.0, -20.0, 2.0, 1.9] + [0.0] * 30, [*BULK, -0.5], [1.0] * 20, [0.0] * 8])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_smallest_eigenvalue(eigenvalues: list[float], dtype: torch.dtype):
    a = matrix(eigenvalues, dtype)
    found = extreme_eigenvalue(Lanczos(a.mv, start(a)), largest=False, tolerance=1e-3, max_iterations=100)
    assert found.converged
    assert found.value == pytest.approx(min(eigenvalues), abs=1e-4 * max(map(abs, eigenvalues)))


@pytest.mark.parametrize("seed", range(1, 4))
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize(
    "top",
    [
        [50.0, 20.0, 9.0, 5.0, 3.0],
        [10.0, 10.0, 9.0, 8.0, 7.0],  # a double eigenvalue
        [10.0, 10.0, 10.0, 10.0, 10.0],
        [10.0, 9.999, 9.0, 8.999, 7.0],  # nearly double
        [10.0, 9.0, 8.0, 7.0, 7.0, 7.0],  # more of the last one than are asked for
        [2.0, 1.9, 1.8, 1.7, 1.6],  # close to the bulk
        [3.0, 3.0, 3.0, -40.0, -40.0, 2.0, 2.0],  # negative ones that dominate
    ],
)
def test_first_five_are_all_found(top: list[float], dtype: torch.dtype, seed: int):
    spectrum = [*top, *BULK]
    found, calls = leading(matrix(spectrum, dtype), seed)
    assert found.converged
    assert calls == found.products < len(spectrum)
    # a Rayleigh quotient is second order in its residual over the gap; within a near-double pair at most the residual
    expected = sorted(spectrum, reverse=True)[:5]
    assert [pair.value for pair in found.pairs] == pytest.approx(expected, abs=1e-3 * max(map(abs, spectrum)))
    vectors = torch.stack([pair.vector for pair in found.pairs])
    assert float((vectors @ vectors.T - torch.eye(5)).abs().max()) < 1e-4


def test_a_copy_that_takes_many_steps_to_appear():
    """In many dimensions the first images of a random vector are small: that must not pass for a search in vain."""
    diagonal = torch.linspace(0.0, 6.0, 20000, dtype=torch.float64)
    diagonal[:3] = torch.tensor([10.0, 10.0, 8.0])
    found = leading_eigenvalues(
        Lanczos(lambda v: diagonal * v, start(diagonal)),
        lambda number: start(diagonal, 100 + number),
        k=2,
        score=float,
        tolerance=1e-3,
        max_products=200,
    )
    assert found.converged
    assert [pair.value for pair in found.pairs] == pytest.approx([10.0, 10.0], rel=1e-3)
    assert found.starts == 3  # the last one finds nothing


def test_first_by_magnitude():
    found, _ = leading(matrix([*BULK, 5.0, -9.0, -9.0, 4.0, 3.0, -2.0]), magnitude=True)
    assert found.converged
    assert [pair.value for pair in found.pairs] == pytest.approx([-9.0, -9.0, 5.0, 4.0, 3.0], abs=1e-3)


@pytest.mark.parametrize("eigenvalues", [[1.0] * 12, [0.0] * 8, [3.0] + [0.0] * 20, [2.0, -1.0, -1.0]])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_small_and_degenerate_spectra(eigenvalues: list[float], dtype: torch.dtype):
    found, _ = leading(matrix(eigenvalues, dtype))
    assert found.converged
    assert [pair.value for pair in found.pairs] == pytest.approx(sorted(eigenvalues, reverse=True)[:5], abs=1e-5)


@pytest.mark.parametrize("most", [3, 12, 20])
def test_too_few_products_are_not_called_converged(most: int):
    found, calls = leading(matrix([50.0, 20.0, 9.0, 5.0, 5.0, 3.0, *BULK]), max_products=most)
    assert not found.converged
    assert calls == found.products <= most


def test_an_image_that_is_not_finite():
    found = leading_eigenvalues(
        Lanczos(lambda v: v * torch.nan, torch.ones(9)),
        lambda number: torch.ones(9),
        k=2,
        score=float,
        tolerance=1e-3,
        max_products=20,
    )
    assert not found.pairs
    assert not found.converged
    assert found.products == 1
