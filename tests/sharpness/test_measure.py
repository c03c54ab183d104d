"""What holds for every measure: the model comes back as it was, and values depend on nothing around it."""

import copy
import itertools
import math
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from samcli import sharpness
from samcli.errors import ConfigError

ONE_STEP = ["one-step", "one-step-linf", "one-step-adaptive", "one-step-adaptive-linf"]
Loss = Callable[[Tensor, Tensor], Tensor]


def examples() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    return torch.randn(60, 4, generator=generator), torch.randint(3, (60,), generator=generator)


def mlp() -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))


def value(model: nn.Module, loss: Loss, data: Iterable[tuple[Tensor, Tensor]], name: str, **options: Any) -> float:
    return sharpness.measure(model, loss, data, [name], **options)[name].value


@pytest.mark.parametrize("name", [*ONE_STEP, "grad-norm", "lambda-max"])
def test_batches_of_any_sizes_give_the_same_value(name: str) -> None:
    model, (x, y) = mlp(), examples()
    whole = value(model, nn.functional.cross_entropy, [(x, y)], name)
    cuts = [0, 1, 8, 40, 60]
    ragged = [(x[a:b], y[a:b]) for a, b in itertools.pairwise(cuts)]
    # fp32 rounding: of sums in another order, and of losses near 1 whose difference is taken
    assert value(model, nn.functional.cross_entropy, ragged, name) == pytest.approx(whole, rel=1e-5, abs=5e-7)


class Delicate(nn.Module):
    """BatchNorm, dropout, a frozen and an unused parameter, and a layer that counts its calls in a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3)  # one channel would have the same strides in both memory formats
        self.norm = nn.BatchNorm2d(3)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(3 * 16, 2)
        self.unused = nn.Linear(3, 3)
        self.head.bias.requires_grad_(False)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return self.head(self.drop(self.norm(self.conv(x)).relu()).flatten(1))


@pytest.mark.parametrize("fails", [False, True])
def test_everything_comes_back(fails: bool) -> None:
    torch.manual_seed(0)
    model = Delicate().to(memory_format=torch.channels_last)
    model.norm.eval()  # a user's own choice of modes
    assert not model.conv.weight.is_contiguous()
    x, y = torch.randn(9, 2, 6, 6), torch.randint(2, (9,))
    nn.functional.cross_entropy(model(x), y).backward()
    state = copy.deepcopy(model.state_dict())
    gradients = {n: None if p.grad is None else p.grad.clone() for n, p in model.named_parameters()}
    modes = [m.training for m in model.modules()]
    wanted = {n: p.requires_grad for n, p in model.named_parameters()}
    random_state = torch.get_rng_state()
    calls = 0

    def loss(output: Tensor, target: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        torch.rand(3)
        if fails and calls == 4:
            raise KeyboardInterrupt
        return nn.functional.cross_entropy(output, target)

    names = [*ONE_STEP, "grad-norm", "lambda-max"]
    data = [(x[:5], y[:5]), (x[5:], y[5:])]
    if fails:
        with pytest.raises(KeyboardInterrupt):
            sharpness.measure(model, loss, data, names)
    else:
        results = sharpness.measure(model, loss, data, names)
        assert all(math.isfinite(result.value) for result in results.values())
    for n, tensor in model.state_dict().items():
        assert torch.equal(tensor, state[n]), n
        assert tensor.stride() == state[n].stride(), n
    for n, p in model.named_parameters():
        assert p.requires_grad == wanted[n]
        assert (p.grad is None) == (gradients[n] is None)
        assert p.grad is None or torch.equal(p.grad, gradients[n])
    assert [m.training for m in model.modules()] == modes
    assert torch.equal(torch.get_rng_state(), random_state)


def test_compiled_model_is_unwrapped() -> None:
    model, (x, y) = mlp(), examples()
    # like the default backend this one has no second derivative, but it needs no compiler
    compiled = torch.compile(model, backend="aot_eager")
    for name in ("one-step", "lambda-max"):
        plain = value(model, nn.functional.cross_entropy, [(x, y)], name)
        assert value(compiled, nn.functional.cross_entropy, [(x, y)], name) == plain


def test_loss_without_the_parameters_is_flat() -> None:
    model = nn.Linear(3, 1)
    data = [(torch.randn(5, 3), torch.ones(5))]
    results = sharpness.measure(model, lambda o, t: t.mean(), data, [*ONE_STEP, "grad-norm", "lambda-max"])
    assert {result.value for result in results.values()} == {0.0}


@pytest.mark.parametrize("name", ["one-step", "grad-norm", "lambda-max"])
@pytest.mark.parametrize(
    "surroundings", [torch.no_grad, torch.inference_mode, lambda: torch.autocast("cpu", dtype=torch.bfloat16)]
)
def test_surroundings_do_not_change_a_value(
    name: str, surroundings: Callable[[], AbstractContextManager[object]]
) -> None:
    model, (x, y) = mlp(), examples()
    expected = value(model, nn.functional.cross_entropy, [(x, y)], name)
    with surroundings():
        assert value(model, nn.functional.cross_entropy, [(x, y)], name) == expected
    assert expected > 0.0


@pytest.mark.parametrize("name", ["one-step", "lambda-max"])
def test_empty_batches_and_an_iterator_over_batches(name: str) -> None:
    model, (x, y) = mlp(), examples()
    expected = value(model, nn.functional.cross_entropy, [(x, y)], name)
    assert value(model, nn.functional.cross_entropy, [(x[:0], y[:0]), (x, y)], name) == expected
    assert value(model, nn.functional.cross_entropy, iter([(x, y)]), name) == expected


def test_measured_in_evaluation_mode() -> None:
    """Dropout is off and BatchNorm uses its running statistics, whatever mode the model is in."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3))
    x, y = examples()
    model(x)  # moves the running statistics from their start
    names = [*ONE_STEP, "grad-norm", "lambda-max"]
    in_training = sharpness.measure(model, nn.functional.cross_entropy, [(x, y)], names)
    assert model.training
    assert sharpness.measure(model.eval(), nn.functional.cross_entropy, [(x, y)], names) == in_training
    expected = nn.functional.cross_entropy(model(x), y).item()
    assert in_training["one-step"].details["loss"] == pytest.approx(expected, rel=1e-6)


def test_what_is_not_finite_is_not_a_number() -> None:
    model = nn.Linear(3, 1)
    data = [(torch.full((5, 3), math.inf), torch.zeros(5, 1))]
    results = sharpness.measure(model, nn.functional.mse_loss, data, [*ONE_STEP, "grad-norm", "lambda-max"])
    assert all(math.isnan(result.value) and not result.converged for result in results.values())


def test_what_cannot_be_measured() -> None:
    model, (x, y) = mlp(), examples()
    with pytest.raises(ConfigError, match="no measure named 'lambda-mx'; did you mean lambda-max"):
        sharpness.measure(model, nn.functional.cross_entropy, [(x, y)], ["lambda-mx"])
    with pytest.raises(ValueError, match="data holds none"):
        sharpness.measure(model, nn.functional.cross_entropy, [])
    with pytest.raises(ValueError, match="none of the model requires a gradient"):
        sharpness.measure(model.requires_grad_(False), nn.functional.cross_entropy, [(x, y)])


@pytest.mark.parametrize("number", [math.nan, math.inf])
@pytest.mark.parametrize("where", ["weight", "bias", "unused", "buffer", "inputs"])
def test_nothing_that_is_not_finite_has_a_value(where: str, number: float) -> None:
    """Of every measure, also where the weights that are not finite have no part in the loss."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 3))
    x, y = torch.randn(12, 3), torch.arange(12) % 3
    model.register_parameter("unused", nn.Parameter(torch.ones(2)))
    with torch.no_grad():
        place = {"weight": model[0].weight, "bias": model[3].bias, "unused": model.unused}.get(where)
        if place is not None:
            place.view(-1)[0] = number
        elif where == "buffer":
            model[1].running_mean[0] = number
        else:
            x[0, 0] = number
    names = [name for name in sharpness.MEASURES if name not in ("lambda-max-adam", "edge-ratio")]
    for name, found in sharpness.measure(
        model, nn.functional.cross_entropy, [(x[:7], y[:7]), (x[7:], y[7:])], names
    ).items():
        if where == "buffer" and number == math.inf and math.isfinite(found.value):
            continue  # ReLU makes zero of what is normalised by a mean of +inf
        assert math.isnan(found.value), name
        assert found.stderr is None, name
        assert not found.converged, name
        assert "not finite" in found.details["reason"], name
