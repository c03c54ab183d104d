"""Measures of a language model against plain computations: many outputs and targets for each example."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from samcli.errors import NotApplicable
from samcli.models import build
from samcli.shape import InputShape
from samcli.sharpness import MEASURES, measure
from samcli.sharpness.problem import Problem
from samcli.tasks import LanguageModel

VOCABULARY, LENGTH = 5, 3
LOSS = LanguageModel(VOCABULARY).loss


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(0)
    shape = InputShape((LENGTH,), vocabulary=VOCABULARY)
    made = build("gpt", shape=shape, outputs=VOCABULARY, layers=1, width=4, heads=2).double().eval()
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=0.5)
    return made


@pytest.fixture
def data() -> list[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(1)
    numbers = torch.randint(VOCABULARY, (7, LENGTH + 1), generator=generator)
    inputs, targets = numbers[:, :-1], numbers[:, 1:]
    return [(inputs[:4], targets[:4]), (inputs[4:], targets[4:])]


def whole(data: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    return torch.cat([inputs for inputs, _ in data]), torch.cat([targets for _, targets in data])


def plain_loss(model: nn.Module, data: list[tuple[Tensor, Tensor]]) -> Tensor:
    """-ln p, summed up token by token, over their number."""
    inputs, targets = whole(data)
    log_p = model(inputs).log_softmax(-1)
    total = sum(-log_p[i, t, targets[i, t]] for i in range(7) for t in range(LENGTH))
    assert isinstance(total, Tensor)
    return total / (7 * LENGTH)


def flat(tensors: list[Tensor] | tuple[Tensor, ...]) -> Tensor:
    return torch.cat([tensor.reshape(-1) for tensor in tensors])


def plain_hessian(model: nn.Module, data: list[tuple[Tensor, Tensor]]) -> Tensor:
    """Reverse mode twice, a row at a time."""
    parameters = list(model.parameters())
    with sdpa_kernel(SDPBackend.MATH):
        gradient = flat(torch.autograd.grad(plain_loss(model, data), parameters, create_graph=True))
    return torch.stack([flat(torch.autograd.grad(g, parameters, retain_graph=True)) for g in gradient])


def test_loss_gradient_and_one_step(model: nn.Module, data: list[tuple[Tensor, Tensor]]) -> None:
    loss = plain_loss(model, data)
    gradient = torch.autograd.grad(loss, list(model.parameters()))
    problem = Problem(model, LOSS, data, seed=0)
    found, of_it = problem.loss_and_gradient
    assert found == pytest.approx(loss.item(), rel=1e-10)
    torch.testing.assert_close(flat(of_it), flat(gradient))
    value = measure(model, LOSS, data, ["one-step"], rho=0.1)["one-step"].value
    with torch.no_grad():
        for parameter, g in zip(model.parameters(), gradient, strict=True):
            parameter.add_(0.1 * g / flat(gradient).norm())
    assert value == pytest.approx((plain_loss(model, data) - loss).item(), rel=1e-6)
    assert problem.example_losses().shape == (7,)


def test_hessian_lambda_max_and_trace(model: nn.Module, data: list[tuple[Tensor, Tensor]]) -> None:
    expected = plain_hessian(model, data)
    problem = Problem(model, LOSS, data, seed=0)
    eye = torch.eye(problem.dimension, dtype=torch.float64)
    torch.testing.assert_close(torch.stack([problem.hessian_times(e) for e in eye]), expected, rtol=1e-6, atol=1e-9)
    found = measure(model, LOSS, data, ["lambda-max", "trace"])
    assert found["lambda-max"].value == pytest.approx(float(torch.linalg.eigvalsh(expected)[-1]), rel=1e-3)
    trace = found["trace"]
    assert trace.stderr is not None
    assert trace.value == pytest.approx(float(expected.trace()), abs=4 * trace.stderr)


def test_gauss_newton(model: nn.Module, data: list[tuple[Tensor, Tensor]]) -> None:
    inputs, _ = whole(data)
    parameters = list(model.parameters())
    outputs = model(inputs)
    rows = [flat(torch.autograd.grad(o, parameters, retain_graph=True)) for o in outputs.flatten()]
    jacobian = torch.stack(rows).view(7 * LENGTH, VOCABULARY, -1)
    p = outputs.softmax(-1).detach().view(7 * LENGTH, VOCABULARY)
    curvature = torch.diag_embed(p) - p[:, :, None] * p[:, None, :]  # of cross-entropy, by its closed form
    expected = torch.einsum("nap,nab,nbq->pq", jacobian, curvature, jacobian) / (7 * LENGTH)
    problem = Problem(model, LOSS, data, seed=0)
    eye = torch.eye(problem.dimension, dtype=torch.float64)
    found = torch.stack([problem.gauss_newton_times(e) for e in eye])
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-9)


OF_THE_OPTIMIZER = {"lambda-max-adam", "edge-ratio"}
COUNT_RIGHT_ANSWERS = {"pac-bayes-sigma", "pac-bayes-sigma-adaptive"}
SLOW = {"spectral-density", "worst-case-linf", "worst-case-adaptive", "worst-case-adaptive-linf"}  # as others, longer


@pytest.mark.parametrize("name", [name for name in MEASURES if name not in SLOW])
def test_every_measure_is_defined_or_refused(name: str, model: nn.Module, data: list[tuple[Tensor, Tensor]]) -> None:
    if name in OF_THE_OPTIMIZER | COUNT_RIGHT_ANSWERS:
        with pytest.raises(NotApplicable, match=r"count right answers|Adam|known for SGD"):
            measure(model, LOSS, data, [name])
        return
    value = measure(model, LOSS, data, [name])[name].value
    assert value is not None
    assert math.isfinite(value)
