"""Relative flatness against the exact Hessian and a closed form."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from samcli import sharpness
from samcli.errors import ConfigError, NotApplicable
from samcli.sharpness import Result

Loss = Callable[[Tensor, Tensor], Tensor]
Batches = list[tuple[Tensor, Tensor]]
cross_entropy = nn.functional.cross_entropy


def examples(n: int = 60, seed: int = 3, features: int = 4) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, features, generator=generator, dtype=torch.float64)
    return x, torch.randint(3, (n,), generator=generator)


def mlp(activation: nn.Module | None = None) -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(4, 6), activation or nn.Tanh(), nn.Linear(6, 3)).double()


def flatness(model: nn.Module, data: Batches, loss: Loss = cross_entropy, **options: Any) -> Result:
    return sharpness.measure(model, loss, data, ["relative-flatness"], **options)["relative-flatness"]


def exact(model: nn.Module, layer: str, x: Tensor, y: Tensor) -> float:
    """The sum over pairs of neurons of the definition, with the layer's Hessian from torch.func."""
    parameters = {n: p.detach() for n, p in model.named_parameters()}

    def loss(weight: Tensor) -> Tensor:
        return cross_entropy(torch.func.functional_call(model, {**parameters, layer: weight}, (x,)), y)

    weight = parameters[layer]
    hessian = torch.func.hessian(loss)(weight)  # (s, j, t, k)
    rows = range(len(weight))
    return sum(float(weight[s] @ weight[t] * hessian[s, :, t, :].trace()) for s in rows for t in rows)


@pytest.mark.parametrize("layer", ["0.weight", "2.weight"])
def test_exact_hessian(layer: str) -> None:
    model, (x, y) = mlp(), examples(6)
    result = flatness(model, [(x, y)], layer=layer, probes=150)
    error = result.details["probe_stderr"]
    assert abs(result.value - exact(model, layer, x, y)) < 3 * error
    assert 0.0 < error < 0.1 * abs(result.value)


def test_last_layer_in_closed_form() -> None:
    """There H_st is the mean of p_s (1[s = t] - p_t) φφᵀ with the features φ."""
    model, (x, y) = mlp(), examples(6)
    features = model[:2](x).detach()
    p, gram = model(x).detach().softmax(1), (model[2].weight @ model[2].weight.T).detach()
    weighted = p @ gram.diagonal() - torch.einsum("is,st,it->i", p, gram, p)
    expected = float((features.square().sum(1) * weighted).mean())
    result = flatness(model, [(x, y)], probes=150)
    assert result.details["layer"] == "2.weight"
    assert abs(result.value - expected) < 3 * result.details["probe_stderr"]


def test_one_row_and_one_column_leave_no_noise() -> None:
    """With a single number z = ±1 the estimate is w² H for each probe."""
    model, x = nn.Linear(1, 1, bias=False, dtype=torch.float64), examples(features=1)[0]
    result = flatness(model, [(x, torch.zeros_like(x))], nn.functional.mse_loss)
    assert result.value == pytest.approx(model.weight.item() ** 2 * 2 * float(x.square().mean()), rel=1e-12)
    assert result.details["probe_stderr"] < 1e-12
    assert result.stderr == pytest.approx(result.details["example_stderr"])


def test_coverage_of_the_errors() -> None:
    """±2 standard errors, for the value of these examples and for that of all there could be."""
    torch.manual_seed(0)
    model = nn.Linear(5, 3, bias=False, dtype=torch.float64)
    gram = (model.weight @ model.weight.T).detach()

    def truth(x: Tensor) -> float:
        p = model(x).detach().softmax(1)
        weighted = p @ gram.diagonal() - torch.einsum("is,st,it->i", p, gram, p)
        return float((x.square().sum(1) * weighted).mean())

    overall = truth(examples(100000, seed=0, features=5)[0])
    probes = both = 0
    for seed in range(1, 51):
        x, y = examples(8, seed, features=5)
        result = flatness(model, [(x, y)], probes=8, seed=seed)
        probes += abs(result.value - truth(x)) < 2 * result.details["probe_stderr"]
        both += abs(result.value - overall) < 2 * result.stderr
    assert probes / 50 > 0.79  # 8 probes: 91 % by Student's t, less three standard deviations of the share
    assert both / 50 > 0.79


def test_rescaling_a_relu_network() -> None:
    model, (x, y) = mlp(nn.ReLU()), examples(6)
    before = [flatness(model, [(x, y)], layer=name).value for name in ("0.weight", "2.weight")]
    with torch.no_grad():
        model[0].weight.mul_(10)
        model[0].bias.mul_(10)
        model[2].weight.div_(10)
    after = [flatness(model, [(x, y)], layer=name).value for name in ("0.weight", "2.weight")]
    # the singular vectors are the same, so the probes scale along; rounding only
    assert after == pytest.approx(before, rel=1e-9)


def test_batches_and_repetition() -> None:
    model, (x, y) = mlp().float(), examples()
    x = x.float()
    whole = flatness(model, [(x, y)], probes=4)
    assert flatness(model, [(x, y)], probes=4) == whole
    ragged = [(x[a:b], y[a:b]) for a, b in itertools.pairwise([0, 1, 8, 40, 60])]
    assert flatness(model, ragged, probes=4) == whole  # the sets of examples are the same
    assert flatness(model, [(x, y)], probes=4, seed=1).value != whole.value


def test_large_sets_of_examples() -> None:
    """More than 2000 examples are cut into more than 20 sets; the last one is smaller and counts less."""
    model, (x, y) = mlp(), examples(2050)
    result = flatness(model, [(x, y)], probes=4)
    rest = (
        flatness(model, [(x[:2000], y[:2000])], probes=4).value,
        flatness(model, [(x[2000:], y[2000:])], probes=4).value,
    )
    assert result.value == pytest.approx((2000 * rest[0] + 50 * rest[1]) / 2050, rel=1e-9)
    assert result.details["products"] == 4


class Convolution(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(1, 2, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x.unsqueeze(1)).mean(2)


def test_layers_that_are_not_there() -> None:
    x, y = examples()
    with pytest.raises(ConfigError, match=r"no weight matrix named '2\.wieght'; did you mean 2\.weight"):
        flatness(mlp(), [(x, y)], layer="2.wieght")
    with pytest.raises(ConfigError, match=r"no weight matrix named '2\.bias'"):
        flatness(mlp(), [(x, y)], layer="2.bias")
    with pytest.raises(NotApplicable, match="the model has no weight matrix"):
        flatness(Convolution().double(), [(x, y)])


def test_flat_and_not_finite() -> None:
    model, x = nn.Linear(3, 1), torch.randn(5, 3)
    flat = flatness(model, [(x, torch.ones(5))], lambda output, target: output.mean())
    assert (flat.value, flat.stderr) == (0.0, 0.0)
    result = flatness(model, [(torch.full((5, 3), math.inf), torch.zeros(5, 1))], nn.functional.mse_loss)
    assert math.isnan(result.value)
    assert not result.converged
