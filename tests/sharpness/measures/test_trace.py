"""Traces and norms by random probes against exact matrices; more in test_curvature.py and spectrum/test_probes.py."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from samcli import sharpness

Loss = Callable[[Tensor, Tensor], Tensor]
Batches = list[tuple[Tensor, Tensor]]
Exact = Callable[[nn.Module, Tensor, Tensor], Tensor]
CROSS_ENTROPY = nn.functional.cross_entropy


def examples(n: int = 60) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(n, 4, generator=generator, dtype=torch.float64)
    return x, torch.randint(3, (n,), generator=generator)


def mlp(activation: type[nn.Module] = nn.Tanh, bias: bool = True) -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(4, 6, bias=bias), activation(), nn.Linear(6, 3, bias=bias)).double()


def measure(
    model: nn.Module,
    names: list[str],
    data: Batches | None = None,
    loss: Loss = CROSS_ENTROPY,
    **options: Any,
) -> dict[str, sharpness.Result]:
    return sharpness.measure(model, loss, data or [examples()], names, **options)


@pytest.mark.parametrize("name", ["trace", "frobenius"])
def test_probes_alone(name: str, exact_hessian: Exact) -> None:
    model, (x, y) = mlp(), examples()
    h = exact_hessian(model, x, y)
    truth = float(h.trace() if name == "trace" else h.norm())
    found = measure(model, [name], method="hutchinson", max_products=200, stderr_below=1e-3)[name]
    assert found.details["rank"] == 0
    assert found.details["probes"] == found.details["products"] == 200
    assert not found.converged
    assert abs(found.value - truth) <= 3 * found.stderr < 0.5 * truth


def test_stated_errors_are_those_of_repetition() -> None:
    """The spread of 60 values is known to 9 %: three times that, on either side."""
    names = ["trace", "frobenius"]
    found = [
        measure(mlp(), names, seed=seed, method="hutchinson", max_products=16, stderr_below=1e-9) for seed in range(60)
    ]
    for name in names:
        values = torch.tensor([results[name].value for results in found])
        errors = torch.tensor([results[name].stderr for results in found])
        assert 0.73 <= float(errors.square().mean().sqrt() / values.std()) <= 1.37


def test_whole_space_gives_the_trace_exactly(exact_hessian: Exact) -> None:
    """With as many dimensions as there are parameters nothing is left for the probes."""
    model, (x, y) = mlp(), examples()
    h = exact_hessian(model, x, y)
    found = measure(model, ["trace", "frobenius"], max_products=3 * len(h))
    assert found["trace"].value == pytest.approx(float(h.trace()), rel=1e-9)
    assert found["frobenius"].value == pytest.approx(float(h.norm()), rel=1e-9)
    assert found["trace"].stderr <= 1e-12  # rounding, or nothing at all


def unit_vectors(problem: sharpness.Problem, times: Callable[[Tensor], Tensor]) -> Tensor:
    return torch.stack([times(e) for e in torch.eye(problem.dimension, dtype=torch.float64)])


class ConvolutionalRelu(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv1d(1, 3, 2), nn.BatchNorm1d(3)
        self.pool, self.head = nn.MaxPool1d(2), nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.pool(self.norm(self.conv(x.unsqueeze(1))).relu()).flatten(1))


@pytest.mark.parametrize("make", [lambda: mlp(nn.ReLU), lambda: ConvolutionalRelu().double()])
def test_traces_agree_for_a_relu_network(make: Callable[[], nn.Module]) -> None:
    """The outputs are piecewise linear in each parameter, so tr H = tr G; with tanh they are not."""
    torch.manual_seed(0)
    model, (x, y) = make(), examples()
    model(x)  # moves the running statistics from their start
    problem = sharpness.Problem(model.eval(), CROSS_ENTROPY, [(x[:9], y[:9]), (x[9:], y[9:])], seed=0)
    h, g = unit_vectors(problem, problem.hessian_times), unit_vectors(problem, problem.gauss_newton_times)
    assert float(h.trace()) == pytest.approx(float(g.trace()), rel=1e-8)
    assert float((h - g).norm()) > 0.01 * float(g.norm())
    smooth = sharpness.Problem(mlp(), CROSS_ENTROPY, [(x, y)], seed=0)
    h, g = unit_vectors(smooth, smooth.hessian_times), unit_vectors(smooth, smooth.gauss_newton_times)
    assert abs(float(h.trace() - g.trace())) > 1e-3 * abs(float(g.trace()))


def test_gauss_newton_of_cross_entropy_is_the_fisher_information() -> None:
    """The mean over examples, and over labels by their probability, of ‖∇ log p(y | x)‖²."""
    model, (x, _) = mlp(), examples(12)
    total = 0.0
    for row in x:
        logs = model(row).log_softmax(0)
        for log in logs:
            gradient = torch.autograd.grad(log, list(model.parameters()), retain_graph=True)
            total += float(log.detach().exp()) * sum(float(part.square().sum()) for part in gradient) / len(x)
    data = [(x, torch.zeros(12, dtype=torch.long))]
    found = measure(model, ["gauss-newton-trace"], data, max_products=300)["gauss-newton-trace"]
    assert found.value == pytest.approx(total, rel=1e-8)
