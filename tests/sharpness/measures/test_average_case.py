"""Averages over random noise against exact traces of the Hessian, and the coverage of their errors."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from samcli import sharpness
from samcli.sharpness import Problem, Result

NAMES = ["average-case", "average-case-linf", "average-case-adaptive", "average-case-adaptive-linf"]
Loss = Callable[[Tensor, Tensor], Tensor]
Batches = list[tuple[Tensor, Tensor]]


def examples(n: int = 60) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    return torch.randn(n, 4, generator=generator), torch.randint(3, (n,), generator=generator)


def mlp(dtype: torch.dtype = torch.float32) -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)).to(dtype)


def average(model: nn.Module, loss: Loss, data: Batches, name: str = "average-case", **options: Any) -> Result:
    return sharpness.measure(model, loss, data, [name], **options)[name]


def exact_diagonal(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """That of the Hessian of the cross-entropy, by torch.func."""
    parameters = {n: p.detach() for n, p in model.named_parameters()}

    def loss(flat: Tensor) -> Tensor:
        pieces = flat.split([p.numel() for p in parameters.values()])
        given = {n: piece.view(p.shape) for piece, (n, p) in zip(pieces, parameters.items(), strict=True)}
        return nn.functional.cross_entropy(torch.func.functional_call(model, given, (x,)), y)

    return torch.func.hessian(loss)(torch.cat([p.reshape(-1) for p in parameters.values()])).diagonal()


def asam_scales(model: nn.Module, eta: float) -> Tensor:
    pieces = [
        (p.detach().abs() + eta if n.endswith("weight") else torch.ones_like(p)).reshape(-1)
        for n, p in model.named_parameters()
    ]
    return torch.cat(pieces)


@pytest.mark.parametrize(("name", "factor"), [("average-case", 1 / 2), ("average-case-linf", 1 / 6)])
def test_quadratic(name: str, factor: float) -> None:
    """On a quadratic the expectation is ρ²/2 tr H for any ρ, and ρ²/6 tr H in the box."""
    x = torch.randn(40, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    model, rho = nn.Linear(8, 1, bias=False, dtype=torch.float64), 0.7
    trace = 2 * float(x.square().sum()) / len(x)  # of 2 XᵀX / n
    result = average(model, nn.functional.mse_loss, [(x, torch.ones(40, 1).double())], name, rho=rho, draws=400)
    error = result.details["probe_stderr"]
    assert abs(result.value - factor * rho**2 * trace) < 3 * error
    assert 0.0 < error < 0.05 * result.value


@pytest.mark.parametrize("name", NAMES)
def test_smooth_network_and_small_noise(name: str) -> None:
    """To second order the value is half the trace of T H T times the variance of the noise; to first it is zero."""
    model, (x, y) = mlp(torch.float64), examples()
    rho, eta = 0.01, 0.02
    scales = asam_scales(model, eta) if "adaptive" in name else torch.ones(1)
    variance = rho**2 / 3 if "linf" in name else rho**2
    expected = variance / 2 * float((exact_diagonal(model, x.double(), y) * scales.square()).sum())
    data = [(x.double(), y)]
    result = average(model, nn.functional.cross_entropy, data, name, rho=rho, eta=eta, scale="weights", draws=100)
    error = result.details["probe_stderr"]
    assert abs(result.value - expected) < 3 * error  # the fourth order in ρ is far below
    assert 0.0 < error < 0.15 * expected


def test_coverage_of_the_errors() -> None:
    """Intervals of ±2 standard errors, with new noise and new examples each time.

    Of those from the probes' error about 94 % hold the expectation over the noise for the examples at hand, ρ² times
    their mean ‖x‖²: 20 draws, skewed to the right. Those from both errors hold the expectation over all examples there
    could be, 20 ρ²; noise particular to a draw and an example counts twice in them, so they are rather too wide.
    """
    model, generator = nn.Linear(20, 1, bias=False, dtype=torch.float64), torch.Generator().manual_seed(0)
    probes = both = either = 0
    for seed in range(120):
        x = torch.randn(40, 20, generator=generator, dtype=torch.float64)
        result = average(model, nn.functional.mse_loss, [(x, torch.ones(40, 1).double())], rho=0.1, seed=seed)
        here, overall = 0.01 * float(x.square().sum()) / 40, 0.01 * 20
        probes += abs(result.value - here) < 2 * result.details["probe_stderr"]
        both += abs(result.value - overall) < 2 * result.stderr
        either += abs(result.value - overall) < 2 * result.details["example_stderr"]
    assert 0.88 < probes / 120 < 0.99  # within three standard deviations of the share around 94 %
    assert both / 120 > 0.9
    assert either < both


def test_antithetic_noise_cancels_the_gradient() -> None:
    x = torch.randn(40, 8, generator=torch.Generator().manual_seed(0))
    model, far = nn.Linear(8, 1), torch.full((40, 1), 100.0)
    errors = {
        pairs: average(model, nn.functional.mse_loss, [(x, far)], antithetic=pairs).details["probe_stderr"]
        for pairs in (True, False)
    }
    assert errors[True] < errors[False] / 20


@pytest.mark.parametrize("antithetic", [True, False])
def test_passes_are_counted(antithetic: bool) -> None:
    model, (x, y) = mlp(), examples()
    calls: list[int] = []
    model.register_forward_hook(lambda *_: calls.append(1))
    result = average(model, nn.functional.cross_entropy, [(x, y)], draws=7, antithetic=antithetic)
    assert result.details["passes"] == len(calls) == (15 if antithetic else 8)


class Normalised(nn.Module):
    """The network with its logits normalised as its last layer."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        f = self.model(x)
        f = f - f.mean(1, keepdim=True)
        return f / f.norm(dim=1, keepdim=True)


@pytest.mark.parametrize("name", NAMES)
def test_normalised_logits(name: str) -> None:
    """As if the last layer did it, and whatever the scale of the logits; to fp64 rounding of losses near 1."""
    (x, y), model = examples(), mlp(torch.float64)
    data, loss = [(x.double(), y)], nn.functional.cross_entropy
    expected = average(Normalised(model), loss, data, name)
    found = average(model, loss, data, name, normalise_logits=True)
    assert found.value == pytest.approx(expected.value, rel=1e-9)
    assert found.stderr == pytest.approx(expected.stderr, rel=1e-9)
    assert found.details["normalise_logits"] is True
    larger = average(model, lambda output, target: loss(7 * output, target), data, name)
    assert abs(larger.value - average(model, loss, data, name).value) > 0.1 * larger.value


@pytest.mark.parametrize("name", ["average-case-adaptive", "average-case-adaptive-linf"])
def test_rescaling_a_relu_network(name: str) -> None:
    """Layer 1 times 10 and layer 2 divided by 10: with η = 0 the noise scales along."""
    x, y = examples()
    torch.manual_seed(1)
    models = [nn.Sequential(nn.Linear(4, 8, bias=False), nn.ReLU(), nn.Linear(8, 3, bias=False)) for _ in range(2)]
    models[1].load_state_dict(models[0].state_dict())
    with torch.no_grad():
        models[1][0].weight.mul_(10)
        models[1][2].weight.div_(10)

    def pair(name: str) -> list[float]:
        return [average(m, nn.functional.cross_entropy, [(x, y)], name, rho=0.3, eta=0.0).value for m in models]

    a, b = pair(name)
    assert a == pytest.approx(b, rel=1e-5)  # fp32 rounding of weights and of losses near 1, the value is near 0.01
    a, b = pair(name.replace("-adaptive", ""))
    assert abs(a - b) > 0.5 * a


@pytest.mark.parametrize("name", NAMES)
def test_batches_of_any_sizes_give_the_same_value(name: str) -> None:
    model, (x, y) = mlp(), examples()
    ragged = [(x[a:b], y[a:b]) for a, b in itertools.pairwise([0, 1, 8, 40, 60])]
    whole, cut = (average(model, nn.functional.cross_entropy, data, name, rho=0.1) for data in ([(x, y)], ragged))
    # fp32 rounding of losses near 1 whose difference is taken
    assert cut.value == pytest.approx(whole.value, rel=1e-5, abs=5e-7)
    assert cut.stderr == pytest.approx(whole.stderr, rel=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_bits(name: str) -> None:
    model, data = mlp().eval(), [examples()]
    before = [p.detach().clone() for p in model.parameters()]
    found = []
    for global_seed, seed in ((1, 5), (2, 5), (1, 6)):
        torch.manual_seed(global_seed)
        state = torch.get_rng_state()
        problem = Problem(model, nn.functional.cross_entropy, data, seed)
        found.append(sharpness.MEASURES.create(name).of(problem))
        assert torch.equal(torch.get_rng_state(), state)
    assert found[0] == found[1]
    assert found[0].value != found[2].value
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_what_was_measured_is_recorded() -> None:
    result = average(mlp(), nn.functional.cross_entropy, [examples()], "average-case-adaptive", draws=5)
    details = result.details
    assert (details["rho"], details["eta"], details["draws"], details["antithetic"]) == (0.1, 0.0, 5, True)
    assert details["scale"] == "all"
    assert result.stderr == pytest.approx(math.hypot(details["probe_stderr"], details["example_stderr"]))
    assert result.converged


def test_one_example_has_no_error_of_examples() -> None:
    x, y = examples(1)
    result = average(mlp(), nn.functional.cross_entropy, [(x, y)])
    assert result.details["example_stderr"] is None
    assert result.stderr == result.details["probe_stderr"]


@pytest.mark.parametrize("name", NAMES)
def test_flat_and_not_finite(name: str) -> None:
    model, x = nn.Linear(3, 1), torch.randn(5, 3)
    flat = average(model, lambda output, target: target.mean(), [(x, torch.ones(5))], name)
    assert (flat.value, flat.stderr) == (0.0, 0.0)
    for data, rho in (([(x.fill_(math.inf), torch.zeros(5, 1))], 0.1), ([(torch.ones(5, 3), torch.zeros(5, 1))], 1e25)):
        result = average(model, nn.functional.mse_loss, data, name, rho=rho)
        assert math.isnan(result.value)
        assert not result.converged
