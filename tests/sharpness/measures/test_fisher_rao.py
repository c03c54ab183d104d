"""The Fisher-Rao norm against √(wᵀ F w) and the closed form for cross-entropy."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from samcli import sharpness
from samcli.sharpness import Result

Loss = Callable[[Tensor, Tensor], Tensor]
Batches = list[tuple[Tensor, Tensor]]
cross_entropy = nn.functional.cross_entropy


def relu(dtype: torch.dtype = torch.float32) -> nn.Sequential:
    torch.manual_seed(1)
    layers = [nn.Linear(4, 8, bias=False), nn.ReLU(), nn.Linear(8, 5, bias=False), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(5, 3, bias=False)).to(dtype)


def examples(n: int = 60, seed: int = 3) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, 4, generator=generator), torch.randint(3, (n,), generator=generator)


def norm(model: nn.Module, loss: Loss, data: Batches, **options: Any) -> Result:
    return sharpness.measure(model, loss, data, ["fisher-rao"], **options)["fisher-rao"]


@pytest.mark.parametrize("loss", [cross_entropy, nn.functional.mse_loss])
def test_relu_network_without_biases(loss: Loss) -> None:
    """There it is √(mean ⟨∇ℓ, w⟩²), with gradients one by one."""
    model, (x, y) = relu(torch.float64), examples()
    x, targets = x.double(), y if loss is cross_entropy else torch.eye(3, dtype=torch.float64)[y]
    parameters = list(model.parameters())
    squares = []
    for i in range(len(x)):
        gradient = torch.autograd.grad(loss(model(x[i : i + 1]), targets[i : i + 1]), parameters)
        squares.append(sum(float((g * p.detach()).sum()) for g, p in zip(gradient, parameters, strict=True)) ** 2)
    result = norm(model, loss, [(x, targets)])
    assert result.value == pytest.approx(math.sqrt(sum(squares) / len(x)), rel=1e-12)
    assert result.details["layers"] == 3


def test_closed_form_for_cross_entropy() -> None:
    """⟨p - e_y, f⟩ with p the probabilities; the biases of this model count in the outputs only."""
    torch.manual_seed(0)
    model, (x, y) = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)), examples()
    f = model(x).detach()
    inner = (f.softmax(1) * f).sum(1) - f[range(60), y]
    expected = 2 * float(inner.square().mean().sqrt())
    whole = norm(model, cross_entropy, [(x, y)])
    assert whole.value == pytest.approx(expected, rel=1e-6)
    ragged = [(x[a:b], y[a:b]) for a, b in itertools.pairwise([0, 1, 8, 40, 60])]
    assert norm(model, cross_entropy, ragged).value == pytest.approx(expected, rel=1e-6)
    assert norm(model, cross_entropy, [(x, y)], seed=1).value == whole.value


def test_rescaling_a_relu_network() -> None:
    model, (x, y) = relu(), examples()
    before = norm(model, cross_entropy, [(x, y)]).value
    with torch.no_grad():
        model[0].weight.mul_(10)
        model[4].weight.div_(10)
    assert norm(model, cross_entropy, [(x, y)]).value == pytest.approx(before, rel=1e-5)


def test_coverage_of_the_error() -> None:
    """±2 standard errors hold the value of a large set of examples in about 95 % of small ones."""
    model = relu()
    truth = norm(model, cross_entropy, [examples(50000, seed=0)]).value
    hits = 0
    for seed in range(1, 201):
        result = norm(model, cross_entropy, [examples(100, seed)])
        hits += abs(result.value - truth) < 2 * result.stderr
    assert 0.88 < hits / 200 < 0.99
    assert result.stderr == result.details["example_stderr"]
    assert result.details["probe_stderr"] is None


def test_frozen_layers_do_not_count() -> None:
    model = relu()
    model[0].weight.requires_grad_(False)
    assert norm(model, cross_entropy, [examples()]).details["layers"] == 2


def test_flat_and_not_finite() -> None:
    model, x = nn.Linear(3, 1), torch.randn(5, 3)
    flat = norm(model, lambda output, target: target.mean(), [(x, torch.ones(5))])
    assert (flat.value, flat.stderr) == (0.0, 0.0)
    result = norm(model, nn.functional.mse_loss, [(torch.full((5, 3), math.inf), torch.zeros(5, 1))])
    assert math.isnan(result.value)
    assert not result.converged
