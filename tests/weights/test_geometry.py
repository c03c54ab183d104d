"""The perturbation against its defining property, and against closed forms."""

import math

import pytest
import torch
from torch import Tensor

from samcli.weights.geometry import element_scales, global_norm, steepest_ascent
from samcli.weights.names import is_weight


def flat(tensors: list[Tensor]) -> Tensor:
    return torch.cat([tensor.reshape(-1) for tensor in tensors])


@pytest.fixture
def gradients() -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in [(3, 4), (5,), (2, 1, 3)]]


@pytest.mark.parametrize("norm", [1.25, 1.5, 2.0, 3.0, 10.0, math.inf])
@pytest.mark.parametrize("adaptive", [False, True])
def test_maximises_the_inner_product_on_the_sphere(gradients: list[Tensor], norm: float, adaptive: bool) -> None:
    generator = torch.Generator().manual_seed(2)
    scales = [torch.rand(g.shape, generator=generator, dtype=torch.float64) + 0.1 for g in gradients]
    used = scales if adaptive else [torch.ones_like(g) for g in gradients]
    rho = 0.3
    epsilon = steepest_ascent(gradients, rho, norm, scales if adaptive else None)
    length = torch.linalg.vector_norm(flat(epsilon) / flat(used), norm)
    assert length.item() == pytest.approx(rho, rel=1e-12)  # on the sphere of the scaled norm
    # Hölder: the maximum is ρ ‖T g‖_q, and no random point of the sphere does better
    q = 1.0 if norm == math.inf else norm / (norm - 1.0)
    best = rho * torch.linalg.vector_norm(flat(used) * flat(gradients), q)
    assert torch.dot(flat(gradients), flat(epsilon)).item() == pytest.approx(best.item(), rel=1e-12)
    other = torch.randn(200, flat(gradients).numel(), generator=generator, dtype=torch.float64)
    other = other / torch.linalg.vector_norm(other, norm, dim=1, keepdim=True) * rho * flat(used)
    assert (other @ flat(gradients)).max() < best


def test_two_norm_is_the_formula_of_the_paper(gradients: list[Tensor]) -> None:
    g = flat(gradients)
    torch.testing.assert_close(flat(steepest_ascent(gradients, 0.05)), 0.05 * g / g.norm(), rtol=1e-14, atol=0)
    torch.testing.assert_close(flat(steepest_ascent(gradients, 0.05, math.inf)), 0.05 * g.sign(), rtol=0, atol=0)


@pytest.mark.parametrize("norm", [1.5, 2.0, math.inf])
def test_zero_gradient_gives_zero(norm: float) -> None:
    epsilon = steepest_ascent([torch.zeros(3), torch.zeros(2, 2)], 0.1, norm)
    assert all(torch.equal(e, torch.zeros_like(e)) for e in epsilon)


@pytest.mark.parametrize("norm", [1.5, 2.0, math.inf])
def test_direction_does_not_depend_on_the_scale_of_the_loss(gradients: list[Tensor], norm: float) -> None:
    scaled = [1024.0 * g for g in gradients]
    for a, b in zip(steepest_ascent(gradients, 0.1, norm), steepest_ascent(scaled, 0.1, norm), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-13, atol=0)


def test_norm_must_be_above_one() -> None:
    with pytest.raises(ValueError, match="above 1, not 1"):
        steepest_ascent([torch.ones(2)], 0.1, 1.0)


def test_keeps_strides() -> None:
    gradient = torch.randn(4, 1, 3, 3).to(memory_format=torch.channels_last)
    (epsilon,) = steepest_ascent([gradient], 0.1)
    assert epsilon.stride() == gradient.stride()


def test_global_norm(gradients: list[Tensor]) -> None:
    for p in (1.0, 2.0, 3.0, math.inf):
        torch.testing.assert_close(global_norm(gradients, p), torch.linalg.vector_norm(flat(gradients), p))


def test_scales_of_asam() -> None:
    weight, bias = torch.tensor([-1.0, 0.0]), torch.tensor([7.0])
    scales = element_scales([weight, bias], map(is_weight, ["norm.weight", "norm.bias"]), eta=0.01)
    assert torch.equal(scales[0], torch.tensor([1.01, 0.01]))
    assert torch.equal(scales[1], torch.tensor([1.0]))
