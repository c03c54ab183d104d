"""The σ of PAC-Bayes measures against that of a linear classifier, whose accuracy under noise is known."""

import itertools
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from samcli import sharpness
from samcli.errors import NotApplicable
from samcli.sharpness import Result
from samcli.sharpness.measures.pac_bayes import bracket

NAMES = ["pac-bayes-sigma", "pac-bayes-sigma-adaptive"]
Batches = list[tuple[Tensor, Tensor]]
cross_entropy = nn.functional.cross_entropy


def classifier(dimension: int = 10) -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(dimension, 2, bias=False, dtype=torch.float64)


def examples(model: nn.Linear, n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Inputs whose class is the one that the model sees after some noise."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, model.in_features, generator=generator, dtype=torch.float64)
    noise = torch.randn(n, 2, generator=generator, dtype=torch.float64)
    return x, (model(x).detach() + 0.2 * noise).argmax(1)


def exact_sigma(model: nn.Linear, x: Tensor, y: Tensor, drop: float = 0.1) -> float:
    """The margin of an example is normal under the noise, with the standard deviation √2 σ ‖x‖."""
    outputs = model(x).detach()
    margin = torch.where(y == 1, 1.0, -1.0) * (outputs[:, 1] - outputs[:, 0])
    lower, upper = 1e-6, 1e3
    for _ in range(80):
        sigma = math.sqrt(lower * upper)
        right = torch.special.ndtr(margin / (math.sqrt(2) * sigma * x.norm(dim=1)))
        lower, upper = (sigma, upper) if float(((margin > 0).double() - right).mean()) <= drop else (lower, sigma)
    return lower


def sigma(model: nn.Module, data: Batches, name: str = "pac-bayes-sigma", **options: Any) -> Result:
    return sharpness.measure(model, cross_entropy, data, [name], **options)[name]


def test_linear_classifier() -> None:
    model = classifier()
    x, y = examples(model, 400, seed=1)
    result = sigma(model, [(x, y)], draws=100)
    assert result.converged
    # half the bracket, 1 %, comes on top of the noise
    expected, error = exact_sigma(model, x, y), result.details["probe_stderr"]
    assert abs(result.value - expected) < 3 * error + 0.005 * expected
    assert error < 0.05 * expected
    lower, upper = result.details["bracket"]
    assert lower < result.value < upper <= lower * 1.0102
    assert result.details["flatness"] == pytest.approx(result.value**-2)
    assert result.details["accuracy"] == float((model(x).argmax(1) == y).double().mean())


def test_coverage_of_the_errors() -> None:
    """Intervals of ±2 standard errors from 10 draws: 92 % by Student's t with 9 degrees of freedom.

    Those from the probes' error are about the σ of the examples at hand, those from both about that of all examples
    there could be.
    """
    model, probes, both = classifier(), 0, 0
    overall = exact_sigma(model, *examples(model, 40000, seed=0))
    for seed in range(1, 81):
        x, y = examples(model, 100, seed)
        result = sigma(model, [(x, y)], seed=seed)
        probes += abs(result.value - exact_sigma(model, x, y)) < 2 * result.details["probe_stderr"]
        both += abs(result.value - overall) < 2 * result.stderr
    assert probes / 80 > 0.83  # three standard deviations of the share below 92 %
    assert both / 80 > 0.83


def test_sigma_scales_with_the_weights() -> None:
    model = classifier()
    data = [examples(model, 200, seed=1)]
    once = sigma(model, data).value
    with torch.no_grad():
        model.weight.mul_(16)
    assert sigma(model, data).value == once * 16  # a power of two scales without rounding
    with torch.no_grad():
        model.weight.mul_(2.0**-14)
    small = sigma(model, data)
    assert not small.converged  # 15 values of σ are too few from 0.05 down to here
    assert small.stderr is None
    assert sigma(model, data, steps=30).value == pytest.approx(once / 2**10, rel=0.01)


def test_rescaling_a_relu_network() -> None:
    """Layer 1 times 10 and layer 2 divided by 10: with η = 0 the noise scales along."""
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(100, 4, generator=generator)
    torch.manual_seed(1)
    models = [nn.Sequential(nn.Linear(4, 8, bias=False), nn.ReLU(), nn.Linear(8, 3, bias=False)) for _ in range(2)]
    y = models[0](x).argmax(1)
    models[1].load_state_dict(models[0].state_dict())
    with torch.no_grad():
        models[1][0].weight.mul_(10)
        models[1][2].weight.div_(10)
    a, b = (sigma(m, [(x, y)], "pac-bayes-sigma-adaptive", eta=0.0).value for m in models)
    assert a == pytest.approx(b, rel=0.01)  # the tolerance: an output that rounds to the other side may move the end
    a, b = (sigma(m, [(x, y)]).value for m in models)
    assert abs(a - b) > 0.5 * a


@pytest.mark.parametrize("name", NAMES)
def test_batches_and_repetition(name: str) -> None:
    model = classifier()
    x, y = examples(model, 60, seed=1)
    whole = sigma(model, [(x, y)], name)
    assert sigma(model, [(x, y)], name) == whole
    ragged = [(x[a:b], y[a:b]) for a, b in itertools.pairwise([0, 1, 8, 40, 60])]
    assert sigma(model, ragged, name).value == pytest.approx(whole.value, rel=0.01)
    assert sigma(model, [(x, y)], name, seed=1).value != whole.value


@pytest.mark.parametrize("steps", [1, 15])
def test_passes_are_counted(steps: int) -> None:
    model = classifier()
    data = [examples(model, 60, seed=1)]
    calls: list[int] = []
    model.register_forward_hook(lambda *_: calls.append(1))
    result = sigma(model, data, steps=steps)
    assert result.converged == (steps == 15)
    assert result.details["passes"] == len(calls)


def test_accuracy_that_cannot_fall() -> None:
    model = nn.Linear(3, 2, bias=False)
    result = sigma(model, [(torch.zeros(5, 3), torch.zeros(5, dtype=torch.int64))], steps=4)
    assert not result.converged
    assert result.details["bracket"] == [pytest.approx(0.4), None]
    assert result.stderr is None


def test_accuracy_that_falls_at_once() -> None:
    model = nn.Linear(3, 2, bias=False)
    nn.init.zeros_(model.weight)  # both outputs zero: the first class by order, and by chance with any noise
    result = sigma(model, [(torch.ones(5, 3), torch.zeros(5, dtype=torch.int64))], steps=4)
    assert not result.converged
    assert result.details["bracket"] == [None, pytest.approx(0.00625)]


class AlwaysTheFirst(nn.Module):
    """The first class has the larger output as long as that is finite."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x * (1 + self.weight.square()), torch.zeros_like(x)], dim=1)


def test_outputs_that_overflow_are_wrong() -> None:
    data = [(torch.full((4, 1), 1e37), torch.zeros(4, dtype=torch.int64))]
    result = sigma(AlwaysTheFirst(), data, draws=60)
    assert result.converged
    # beyond |w| = 5.7 the output is infinite, which a tenth of all draws reach at σ = 5.7 / 1.64; 60 draws know the
    # share of 0.1 within 0.04, and σ within 11 %
    assert result.value == pytest.approx(3.5, rel=0.33)


def test_outputs_that_are_not_finite() -> None:
    data = [(torch.full((4, 3), math.nan), torch.zeros(4, dtype=torch.int64))]
    result = sigma(nn.Linear(3, 2), data)
    assert math.isnan(result.value)
    assert not result.converged


@pytest.mark.parametrize(
    ("outputs", "targets"),
    [(2, torch.zeros(5, 2)), (1, torch.zeros(5, dtype=torch.int64)), (2, torch.zeros(5, dtype=torch.bool))],
)
def test_only_classes_have_an_accuracy(outputs: int, targets: Tensor) -> None:
    with pytest.raises(NotApplicable, match="PAC-Bayes measures count right answers"):
        sigma(nn.Linear(3, outputs), [(torch.randn(5, 3), targets)])


@pytest.mark.parametrize("turn", [1e-3, 0.04, 0.05, 0.051, 3.0])
def test_bracket(turn: float) -> None:
    lower, upper, tried = bracket(lambda value: value <= turn, 30, 1e-3)
    assert lower <= turn < upper
    assert upper - lower <= 1e-3 * upper
    assert tried < 20
