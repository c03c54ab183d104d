"""BatchNorm's modes against networks that normalise by hand; the layers come back as they were."""

import copy
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from samcli import sharpness
from samcli.errors import ConfigError, NotApplicable
from samcli.sharpness import Problem
from samcli.sharpness.batch_norm import MODES, normalising
from samcli.weights.frozen import freeze

NAMES = ["one-step", "grad-norm", "lambda-max", "average-case", "worst-case", "trace"]
Batches = list[tuple[Tensor, Tensor]]
cross_entropy = nn.functional.cross_entropy


def examples(n: int = 40) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(n, 4, generator=generator, dtype=torch.float64)
    return 2 * x + 1, torch.randint(3, (n,), generator=generator)


def network() -> nn.Sequential:
    """Its running statistics are far from those of the examples."""
    torch.manual_seed(1)
    layers = nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Dropout(0.5), nn.Linear(6, 3)
    model = nn.Sequential(*layers).double()
    model[1].weight.data.uniform_(0.5, 1.5)
    model(torch.randn(10, 4, dtype=torch.float64))
    return model


class ByHand(nn.Module):
    """BatchNorm by the statistics of the batch, or by given ones, with the same parameters."""

    def __init__(self, norm: nn.Module, statistics: tuple[Tensor, Tensor] | None = None) -> None:
        super().__init__()
        self.weight, self.bias, self.eps = norm.weight, norm.bias, norm.eps
        self.statistics = statistics

    def forward(self, x: Tensor) -> Tensor:
        mean, variance = self.statistics or (x.mean(0), (x - x.mean(0)).square().mean(0))
        return (x - mean) / (variance + self.eps).sqrt() * self.weight + self.bias


def by_hand(model: nn.Sequential, statistics: tuple[Tensor, Tensor] | None = None) -> nn.Sequential:
    return nn.Sequential(model[0], ByHand(model[1], statistics), model[2], nn.Identity(), model[4])


def values(model: nn.Module, data: Batches, names: list[str] = NAMES, **options: Any) -> dict[str, float]:
    found = sharpness.measure(model, cross_entropy, data, names, rho=0.1, **options)
    return {name: result.value for name, result in found.items()}


def test_batch() -> None:
    """Each batch by its own statistics, dropout off; to fp64 rounding, which iterations carry on."""
    x, y = examples()
    data = [(x[:24], y[:24]), (x[24:], y[24:])]
    model = network()
    expected = values(by_hand(model), data)
    assert values(model, data, batch_norm="batch") == pytest.approx(expected, rel=1e-8)
    evaluated = values(model, data)
    assert all(abs(evaluated[name] - expected[name]) > 1e-3 * abs(expected[name]) for name in NAMES)


def test_batch_has_the_curvature_of_the_statistics() -> None:
    """λ_max and trace of torch.func's Hessian of the network that normalises by hand."""
    model, (x, y) = network(), examples()
    twin = by_hand(model)
    parameters = {n: p.detach() for n, p in twin.named_parameters()}

    def loss(flat: Tensor) -> Tensor:
        pieces = flat.split([p.numel() for p in parameters.values()])
        given = {n: piece.view(p.shape) for (n, p), piece in zip(parameters.items(), pieces, strict=True)}
        return cross_entropy(torch.func.functional_call(twin, given, (x,)), y)

    hessian = torch.func.hessian(loss)(torch.cat([p.reshape(-1) for p in parameters.values()]))
    options: dict[str, Any] = {"batch_norm": "batch", "tolerance": 1e-4, "max_products": 3 * len(hessian)}
    found = sharpness.measure(model, cross_entropy, [(x, y)], ["lambda-max", "trace"], **options)
    assert found["lambda-max"].value == pytest.approx(float(torch.linalg.eigvalsh(hessian)[-1]), rel=1e-6)
    assert found["trace"].value == pytest.approx(float(hessian.trace()), rel=1e-9)


def test_recalibrated() -> None:
    """The mean of all examples, and the variance within batches, unbiased, each counted by its size."""
    x, y = examples()
    model = network()
    inputs = model[0](x).detach()
    parts = [slice(0, 7), slice(7, 30), slice(30, 40)]
    variance = sum((part.stop - part.start) / 40 * inputs[part].var(0) for part in parts)
    expected = values(by_hand(model, (inputs.mean(0), variance)), [(x, y)])
    found = values(model, [(x[part], y[part]) for part in parts], batch_norm="recalibrated")
    assert found == pytest.approx(expected, rel=1e-8)


def test_recalibration_forgets_what_was_not_finite() -> None:
    model, data = network(), [examples()]
    expected = values(model, data, batch_norm="recalibrated")
    model[1].running_mean.fill_(math.nan)
    assert values(model, data, batch_norm="recalibrated") == expected


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("mode", MODES)
def test_layers_come_back(mode: str, fails: bool) -> None:
    model, (x, y) = network(), examples()
    model[1].momentum = 0.3
    model[1].eval()
    state, seen = copy.deepcopy(model.state_dict()), []

    def loss(output: Tensor, target: Tensor) -> Tensor:
        seen.append(1)
        if fails and len(seen) == 3:
            raise KeyboardInterrupt
        return cross_entropy(output, target)

    try:
        sharpness.measure(model, loss, [(x[:20], y[:20]), (x[20:], y[20:])], NAMES[:3], batch_norm=mode)
    except KeyboardInterrupt:
        assert fails
    assert all(torch.equal(state[key], tensor) for key, tensor in model.state_dict().items())
    assert [module.training for module in model] == [True, False, True, True, True]
    assert (model[1].momentum, model[1].track_running_stats) == (0.3, True)


def test_batch_leaves_running_statistics_alone_at_once() -> None:
    """Not only afterwards: nothing is added up on the way."""
    model, data = network().eval(), [examples()]
    before = model[1].running_mean.clone()
    with normalising(model, "batch", data):
        model(data[0][0])
        assert torch.equal(model[1].running_mean, before)


def test_sets_of_examples_are_batches() -> None:
    """The m-sharpness of two halves is the mean of theirs."""
    x, y = examples()
    model, halves = network(), [(x[:20], y[:20]), (x[20:], y[20:])]
    alone = [values(model, [half], ["worst-case"], batch_norm="batch")["worst-case"] for half in halves]
    both = values(model, [(x, y)], ["worst-case"], batch_norm="batch", m=20)["worst-case"]
    assert both == pytest.approx(sum(alone) / 2, rel=1e-9)
    with pytest.raises(NotApplicable, match="A set of one example"):
        values(model, [(x, y)], ["worst-case"], batch_norm="batch", m=13)


@pytest.mark.parametrize("mode", MODES)
def test_what_is_recorded(mode: str) -> None:
    x, y = examples()
    data = [(x[:24], y[:24]), (x[24:], y[24:])]
    details = sharpness.measure(network(), cross_entropy, data, ["grad-norm"], batch_norm=mode)["grad-norm"].details
    assert details["batch_norm"] == mode
    assert details.get("batch_size") == (None if mode == "evaluation" else 24)


def test_a_model_without_batch_norm_has_no_modes() -> None:
    model, (x, y) = nn.Linear(4, 3).double(), examples()
    found = [values(model, [(x[:1], y[:1]), (x[1:], y[1:])], batch_norm=mode) for mode in MODES]
    assert found[0] == found[1] == found[2]


def test_mistakes() -> None:
    model, (x, y) = network(), examples()
    with pytest.raises(ConfigError, match="did you mean recalibrated"):
        values(model, [(x, y)], batch_norm="recalibrate")
    for mode in MODES[1:]:
        with pytest.raises(ConfigError, match="one of them is a single example"):
            values(model, [(x[:1], y[:1]), (x[1:], y[1:])], batch_norm=mode)
    assert Problem(model, cross_entropy, [(x, y)], 0).batch_norm == "evaluation"


@pytest.mark.parametrize("mode", ["recalibrated", "batch"])
def test_frozen_layers_take_the_statistics_that_they_were_trained_with(mode: str) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.BatchNorm1d(2), nn.BatchNorm1d(2), nn.Linear(2, 3)).eval()
    freeze(model, ["0.*"], outputs=3)
    inputs = 5.0 + torch.randn(40, 2)
    seen: list[Tensor] = []
    model[0].register_forward_hook(lambda module, args, output: seen.append(output.detach()))
    with normalising(model, mode, [(inputs, torch.zeros(40))]):
        model(inputs)
        running = model[0].running_mean
        assert running is not None and torch.equal(running, torch.zeros(2))
    torch.testing.assert_close(seen[-1], inputs, rtol=1e-4, atol=1e-4)
