"""Values against closed forms and plain twins; the model comes back as it was."""

import copy
import itertools
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from samcli import sharpness
from samcli.errors import ConfigError

ONE_STEP = ["one-step", "one-step-linf", "one-step-adaptive", "one-step-adaptive-linf"]
Loss = Callable[[Tensor, Tensor], Tensor]


def examples(n: int = 60, features: int = 4, classes: int = 3) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(n, features, generator=generator)
    return x, torch.randint(classes, (n,), generator=generator)


def mlp(dtype: torch.dtype = torch.float32) -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)).to(dtype)


def value(model: nn.Module, loss: Loss, data: Any, name: str, **options: Any) -> float:
    return sharpness.measure(model, loss, data, [name], **options)[name].value


def exact_hessian(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """By torch.func, an implementation that shares nothing with ours."""
    parameters = {n: p.detach() for n, p in model.named_parameters()}
    names = list(parameters)

    def loss(flat: Tensor) -> Tensor:
        pieces = flat.split([parameters[n].numel() for n in names])
        given = {n: piece.view(parameters[n].shape) for n, piece in zip(names, pieces, strict=True)}
        return nn.functional.cross_entropy(torch.func.functional_call(model, given, (x,)), y)

    return torch.func.hessian(loss)(torch.cat([p.reshape(-1) for p in parameters.values()]))


def test_lambda_max_of_a_small_network():
    model, (x, y) = mlp(torch.float64), examples()
    expected = torch.linalg.eigvalsh(exact_hessian(model, x.double(), y))[-1].item()
    result = sharpness.measure(model, nn.functional.cross_entropy, [(x.double(), y)], ["lambda-max"])["lambda-max"]
    assert result.converged
    # two guard steps beyond an error of 1e-3, each of which makes it some five times smaller
    assert result.value == pytest.approx(expected, rel=1e-4)
    assert abs(result.value - expected) / expected <= result.details["error"] <= 1e-3
    assert result.details["products"] < 51  # fewer than there are parameters


def test_lambda_max_of_linear_regression():
    """The Hessian of the mean square is 2 XᵀX / n."""
    x, _ = examples()
    model = nn.Linear(4, 1, bias=False)
    expected = torch.linalg.eigvalsh(2 * x.T @ x / len(x))[-1].item()
    data = [(x[:7], torch.zeros(7, 1)), (x[7:], torch.ones(53, 1))]
    assert value(model, nn.functional.mse_loss, data, "lambda-max") == pytest.approx(expected, rel=1e-5)


def test_lambda_max_of_logistic_regression():
    """The Hessian is Xᵀ diag(p (1 - p)) X / n."""
    x, y = examples(classes=2)
    torch.manual_seed(0)
    model = nn.Linear(4, 1, bias=False)

    def loss(output: Tensor, target: Tensor) -> Tensor:
        return nn.functional.binary_cross_entropy_with_logits(output.squeeze(1), target.float())

    p = model(x).detach().sigmoid()
    expected = torch.linalg.eigvalsh((x * p * (1 - p)).T @ x / len(x))[-1].item()
    assert value(model, loss, [(x, y)], "lambda-max") == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ONE_STEP)
def test_one_step_against_a_plain_twin(name: str):
    model, (x, y) = mlp(), examples()
    rho, eta = 0.07, 0.02
    twin = copy.deepcopy(model)
    before = nn.functional.cross_entropy(twin(x), y)
    before.backward()
    scale = {
        n: p.detach().abs() + eta if "adaptive" in name and n.endswith("weight") else torch.ones_like(p)
        for n, p in twin.named_parameters()
    }
    length = torch.cat([(scale[n] * p.grad).flatten() for n, p in twin.named_parameters()]).norm()
    with torch.no_grad():
        for n, p in twin.named_parameters():
            p += rho * scale[n] * (p.grad.sign() if "linf" in name else scale[n] * p.grad / length)
        expected = (nn.functional.cross_entropy(twin(x), y) - before).item()
    got = value(model, nn.functional.cross_entropy, [(x, y)], name, rho=rho, eta=eta)
    # a difference of two fp32 losses near 1, each rounded to 6e-8
    assert got == pytest.approx(expected, abs=5e-7)
    assert got > 0.005


def test_gradient_norm():
    model, (x, y) = mlp(), examples()
    got = value(model, nn.functional.cross_entropy, [(x, y)], "grad-norm")
    gradient = torch.autograd.grad(nn.functional.cross_entropy(model(x), y), list(model.parameters()))
    assert got == pytest.approx(torch.cat([g.flatten() for g in gradient]).norm().item(), rel=1e-6)


@pytest.mark.parametrize("name", [*ONE_STEP, "grad-norm", "lambda-max"])
def test_batches_of_any_sizes_give_the_same_value(name: str):
    model, (x, y) = mlp(), examples()
    whole = value(model, nn.functional.cross_entropy, [(x, y)], name)
    cuts = [0, 1, 8, 40, 60]
    ragged = [(x[a:b], y[a:b]) for a, b in itertools.pairwise(cuts)]
    # fp32 rounding: of sums in another order, and of losses near 1 whose difference is taken
    assert value(model, nn.functional.cross_entropy, ragged, name) == pytest.approx(whole, rel=1e-5, abs=5e-7)


def test_rescaling_a_relu_network():
    """Layer 1 times 10 and layer 2 divided by 10 is the same function: the adaptive measures (η = 0) agree."""
    x, y = examples()
    torch.manual_seed(1)
    models = [nn.Sequential(nn.Linear(4, 8, bias=False), nn.ReLU(), nn.Linear(8, 3, bias=False)) for _ in range(2)]
    models[1].load_state_dict(models[0].state_dict())
    with torch.no_grad():
        models[1][0].weight.mul_(10)
        models[1][2].weight.div_(10)

    def pair(name: str) -> list[float]:
        return [value(m, nn.functional.cross_entropy, [(x, y)], name, rho=0.1, eta=0.0) for m in models]

    for name in ("one-step-adaptive", "one-step-adaptive-linf"):
        a, b = pair(name)
        assert a == pytest.approx(b, rel=1e-4)
    for name in ("one-step", "lambda-max"):
        a, b = pair(name)
        assert abs(a - b) > 0.5 * a


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
def test_everything_comes_back(fails: bool):
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


def test_same_seed_same_bits():
    model, (x, y) = mlp(), examples()
    found = []
    for global_seed, seed in ((1, 5), (2, 5), (1, 6)):
        torch.manual_seed(global_seed)
        found.append(sharpness.measure(model, nn.functional.cross_entropy, [(x, y)], ["lambda-max"], seed=seed))
    assert found[0] == found[1]  # the residual too
    # another start vector leaves another residual, and the same eigenvalue
    first, other = found[0]["lambda-max"], found[2]["lambda-max"]
    assert first.details["residual"] != other.details["residual"]
    assert first.value == pytest.approx(other.value, rel=1e-5)


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Linear(4, 12)
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.project(x.unsqueeze(1).repeat(1, 5, 1)).chunk(3, -1)
        return self.head(nn.functional.scaled_dot_product_attention(q, k, v).mean(1))


def test_attention_has_a_second_derivative():
    torch.manual_seed(0)
    model, (x, y) = Attention().double(), examples()
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        expected = torch.linalg.eigvalsh(exact_hessian(model, x.double(), y))[-1].item()
    got = value(model, nn.functional.cross_entropy, [(x.double(), y)], "lambda-max")
    assert got == pytest.approx(expected, rel=1e-5)


def test_compiled_model_is_unwrapped():
    model, (x, y) = mlp(), examples()
    # like the default backend this one has no second derivative, but it needs no compiler
    compiled = torch.compile(model, backend="aot_eager")
    for name in ("one-step", "lambda-max"):
        plain = value(model, nn.functional.cross_entropy, [(x, y)], name)
        assert value(compiled, nn.functional.cross_entropy, [(x, y)], name) == plain


def test_loss_linear_in_the_parameters_has_no_curvature():
    model = nn.Linear(3, 1)
    result = sharpness.measure(model, lambda o, t: o.mean(), [(torch.randn(5, 3), torch.zeros(5))], ["lambda-max"])
    assert result["lambda-max"].value == 0.0
    assert result["lambda-max"].converged


def test_loss_without_the_parameters_is_flat():
    model = nn.Linear(3, 1)
    data = [(torch.randn(5, 3), torch.ones(5))]
    results = sharpness.measure(model, lambda o, t: t.mean(), data, [*ONE_STEP, "grad-norm", "lambda-max"])
    assert {result.value for result in results.values()} == {0.0}


@pytest.mark.parametrize("name", ["one-step", "grad-norm", "lambda-max"])
@pytest.mark.parametrize(
    "surroundings", [torch.no_grad, torch.inference_mode, lambda: torch.autocast("cpu", dtype=torch.bfloat16)]
)
def test_surroundings_do_not_change_a_value(name: str, surroundings: Callable[[], Any]):
    model, (x, y) = mlp(), examples()
    expected = value(model, nn.functional.cross_entropy, [(x, y)], name)
    with surroundings():
        assert value(model, nn.functional.cross_entropy, [(x, y)], name) == expected
    assert expected > 0.0


@pytest.mark.parametrize("name", ["one-step", "lambda-max"])
def test_empty_batches_and_an_iterator_over_batches(name: str):
    model, (x, y) = mlp(), examples()
    expected = value(model, nn.functional.cross_entropy, [(x, y)], name)
    assert value(model, nn.functional.cross_entropy, [(x[:0], y[:0]), (x, y)], name) == expected
    assert value(model, nn.functional.cross_entropy, iter([(x, y)]), name) == expected


def test_measured_in_evaluation_mode():
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


def test_too_few_iterations_are_not_called_converged():
    model, (x, y) = mlp(), examples()
    problem = sharpness.Problem(model.eval(), nn.functional.cross_entropy, [(x, y)], seed=0)
    result = sharpness.MEASURES.create("lambda-max", max_iterations=2).of(problem)
    assert not result.converged
    assert result.details["error"] > result.details["tolerance"]
    assert result.details["products"] == 2


def test_loss_that_overflows_at_the_perturbed_parameters():
    model = nn.Linear(3, 1)
    data = [(torch.ones(5, 3), torch.zeros(5, 1))]
    result = sharpness.measure(model, nn.functional.mse_loss, data, ["one-step"], rho=1e25)["one-step"]
    assert math.isnan(result.value)
    assert not result.converged


def test_zero_gradient_gives_zero_sharpness():
    model = nn.Linear(3, 1, bias=False)
    nn.init.zeros_(model.weight)
    data = [(torch.randn(5, 3), torch.zeros(5, 1))]
    results = sharpness.measure(model, nn.functional.mse_loss, data, [*ONE_STEP, "grad-norm"])
    assert {result.value for result in results.values()} == {0.0}


def test_what_is_not_finite_is_not_a_number():
    model = nn.Linear(3, 1)
    data = [(torch.full((5, 3), math.inf), torch.zeros(5, 1))]
    results = sharpness.measure(model, nn.functional.mse_loss, data, [*ONE_STEP, "grad-norm", "lambda-max"])
    assert all(math.isnan(result.value) and not result.converged for result in results.values())


def test_circumstances_are_recorded():
    model, (x, y) = mlp(), examples()
    details = sharpness.measure(model, nn.functional.cross_entropy, [(x, y)], ["one-step-adaptive-linf"], rho=0.3)[
        "one-step-adaptive-linf"
    ].details
    assert details["examples"] == 60
    assert details["rho"] == 0.3
    assert details["norm"] == math.inf
    assert details["eta"] == 0.01
    assert details["dtype"] == "float32"
    assert details["batch_norm"] == "evaluation"
    assert details["loss"] == pytest.approx(nn.functional.cross_entropy(model(x), y).item(), rel=1e-6)


def test_what_cannot_be_measured():
    model, (x, y) = mlp(), examples()
    with pytest.raises(ConfigError, match="no measure named 'lambda-mx'; did you mean lambda-max"):
        sharpness.measure(model, nn.functional.cross_entropy, [(x, y)], ["lambda-mx"])
    with pytest.raises(ValueError, match="data holds none"):
        sharpness.measure(model, nn.functional.cross_entropy, [])
    with pytest.raises(ValueError, match="none of the model requires a gradient"):
        sharpness.measure(model.requires_grad_(False), nn.functional.cross_entropy, [(x, y)])
