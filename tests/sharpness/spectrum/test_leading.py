"""The first eigenvalues of matrices whose spectrum is known, multiple ones as often as they occur."""

import pytest
import torch
from spectra import BULK, Counted, matrix, start
from torch import Tensor

from samcli.sharpness.spectrum.lanczos import Lanczos
from samcli.sharpness.spectrum.leading import Leading, leading_eigenvalues


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
def test_first_five_are_all_found(top: list[float], dtype: torch.dtype, seed: int) -> None:
    spectrum = [*top, *BULK]
    found, calls = leading(matrix(spectrum, dtype), seed)
    assert found.converged
    assert calls == found.products < len(spectrum)
    # a Rayleigh quotient is second order in its residual over the gap; within a near-double pair at most the residual
    expected = sorted(spectrum, reverse=True)[:5]
    assert [pair.value for pair in found.pairs] == pytest.approx(expected, abs=1e-3 * max(map(abs, spectrum)))
    vectors = torch.stack([pair.vector for pair in found.pairs])
    assert float((vectors @ vectors.T - torch.eye(5)).abs().max()) < 1e-4


def test_a_copy_that_takes_many_steps_to_appear() -> None:
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


def test_first_by_magnitude() -> None:
    found, _ = leading(matrix([*BULK, 5.0, -9.0, -9.0, 4.0, 3.0, -2.0]), magnitude=True)
    assert found.converged
    assert [pair.value for pair in found.pairs] == pytest.approx([-9.0, -9.0, 5.0, 4.0, 3.0], abs=1e-3)


@pytest.mark.parametrize("eigenvalues", [[1.0] * 12, [0.0] * 8, [3.0] + [0.0] * 20, [2.0, -1.0, -1.0]])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_small_and_degenerate_spectra(eigenvalues: list[float], dtype: torch.dtype) -> None:
    found, _ = leading(matrix(eigenvalues, dtype))
    assert found.converged
    assert [pair.value for pair in found.pairs] == pytest.approx(sorted(eigenvalues, reverse=True)[:5], abs=1e-5)


@pytest.mark.parametrize("most", [3, 12, 20])
def test_too_few_products_are_not_called_converged(most: int) -> None:
    found, calls = leading(matrix([50.0, 20.0, 9.0, 5.0, 5.0, 3.0, *BULK]), max_products=most)
    assert not found.converged
    assert calls == found.products <= most


def test_an_image_that_is_not_finite() -> None:
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
