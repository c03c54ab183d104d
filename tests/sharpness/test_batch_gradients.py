"""Kept graphs give the products that new ones give, and go when the parameters change."""

import gc
import weakref

import pytest
import torch
from torch import Tensor, nn

from samcli.sharpness import batch_gradients
from samcli.sharpness.problem import Problem


def problem() -> Problem:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 3)).double().eval()
    x, y = torch.randn(23, 4, dtype=torch.float64), torch.randint(3, (23,))
    data = [(x[part], y[part]) for part in (slice(0, 10), slice(10, 20), slice(20, 23))]
    return Problem(model, nn.functional.cross_entropy, data, seed=0)


def direction(p: Problem) -> Tensor:
    return torch.randn(p.dimension, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def passes(p: Problem) -> list[int]:
    """Grows by the size of each batch that goes through the model."""
    seen: list[int] = []
    p._model.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    return seen


def test_products_with_kept_graphs_are_those_with_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, new = problem(), problem()
    found = [kept.hessian_times(direction(kept)) for _ in range(2)]
    monkeypatch.setattr(batch_gradients, "KEEP_BYTES", 0)
    expected = new.hessian_times(direction(new))
    assert all(torch.equal(product, expected) for product in found)


def test_what_fits_is_kept_and_the_rest_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    p = problem()
    seen = passes(p)
    monkeypatch.setattr(batch_gradients, "KEEP_BYTES", 20 * p._batch_gradients._size_of_an_example())
    p.loss_at()  # the loss is looked at
    del seen[:]
    p.hessian_times(direction(p))
    assert seen == [10, 10, 3]
    p.hessian_times(direction(p))
    assert seen == [10, 10, 3, 3]  # 20 examples are kept


@pytest.mark.parametrize("by_measure", [True, False])
def test_graphs_go_when_parameters_change(by_measure: bool) -> None:
    p, v = problem(), direction(problem())
    before = p.hessian_times(v)
    if by_measure:  # to another point and back
        p.loss_at([torch.ones_like(w) for w in p.parameters])
        assert not p._batch_gradients._kept
        assert torch.equal(p.hessian_times(v), before)
    else:
        with torch.no_grad():
            p.parameters[0].mul_(2.0)
        after = p.hessian_times(v)
        assert not torch.allclose(after, before)
        fresh = Problem(p._model, nn.functional.cross_entropy, p._parts.data, seed=0)
        assert torch.equal(after, fresh.hessian_times(v))


def test_graphs_go_with_the_problem() -> None:
    """Without waiting for the collector of cycles, which a few large graphs would not wake."""
    p = problem()
    p.hessian_times(direction(p))
    graph = weakref.ref(p._batch_gradients._kept[0][0])
    gc.disable()
    try:
        del p
        assert graph() is None
    finally:
        gc.enable()


def test_size_of_an_example_counts_what_a_layer_saves() -> None:
    """Of a wide layer that is its inputs, of 4 bytes each, and no more than a few times that."""
    sizes = []
    for width in (1000, 2000):
        data = [(torch.randn(8, width), torch.randint(10, (8,)))]
        p = Problem(nn.Linear(width, 10), nn.functional.cross_entropy, data, seed=0)
        sizes.append(p._batch_gradients._size_of_an_example())
    assert 4 * 1000 <= sizes[0] <= 6 * 4 * 1000
    assert sizes[1] == pytest.approx(2 * sizes[0], rel=0.05)
