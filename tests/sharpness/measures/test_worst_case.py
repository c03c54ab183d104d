"""The worst-case measures of small networks: bounds, budgets, sets of examples, invariances."""

import copy
import itertools
import math
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from samcli import sharpness
from samcli.errors import ConfigError
from samcli.sharpness import MEASURES, Problem, Result

WORST = ["worst-case", "worst-case-linf", "worst-case-adaptive", "worst-case-adaptive-linf"]
ALL = [*WORST, "keskar", "worst-case-layerwise"]
RADIUS = {"worst-case": 0.5, "worst-case-linf": 0.05, "worst-case-adaptive": 0.5, "worst-case-adaptive-linf": 0.1}
cross_entropy = nn.functional.cross_entropy


def examples(n: int = 60) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    return torch.randn(n, 4, generator=generator), torch.randint(3, (n,), generator=generator)


def mlp(dtype: torch.dtype = torch.float32) -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)).to(dtype)


def relu_net() -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(4, 8, bias=False), nn.ReLU(), nn.Linear(8, 3, bias=False)).double()


def problem(model: nn.Module | None = None, seed: int = 0, n: int = 60) -> Problem:
    model = mlp() if model is None else model
    x, y = examples(n)
    return Problem(model.eval(), cross_entropy, [(x.to(next(model.parameters()).dtype), y)], seed)


def result(name: str, where: Problem | None = None, **options: Any) -> Result:
    options = ({"rho": RADIUS[name]} if name in RADIUS else {}) | options
    return MEASURES.create(name, **options).of(where or problem())


class Recording(Problem):
    """Keeps every perturbation at which the loss was asked for."""

    def __init__(self, model: nn.Module) -> None:
        x, y = examples()
        super().__init__(model.eval(), cross_entropy, [(x, y)], 0)
        self.visited: list[list[Tensor]] = []

    def loss_at(self, epsilon: Sequence[Tensor] | None = None) -> float:
        self.visited.append(list(epsilon or []))
        return super().loss_at(epsilon)

    def loss_and_gradient_at(self, epsilon: Sequence[Tensor]) -> tuple[float, list[Tensor]]:
        self.visited.append(list(epsilon))
        return super().loss_and_gradient_at(epsilon)


@pytest.mark.parametrize("name", WORST)
def test_at_least_the_one_step_value(name: str) -> None:
    where = problem()
    for rho in (0.0, 1e-4, 0.3, 3.0):  # at the largest the one step overshoots
        one_step = MEASURES.create(name.replace("worst-case", "one-step"), rho=rho).of(where).value
        found = result(name, where, rho=rho, steps=4)
        assert found.value >= max(0.0, one_step)
        assert found.details["rho"] == rho
    # a large step overshoots, so that the ascent gains on it
    assert result(name, where, rho=3.0).value > result(name.replace("worst-case", "one-step"), where, rho=3.0).value


@pytest.mark.parametrize("m", [None, 8])
@pytest.mark.parametrize("name", WORST)
def test_larger_radii_reach_at_least_as_far(name: str, m: int | None) -> None:
    radii = [RADIUS[name] * factor for factor in (0.1, 0.2, 0.21, 1.0, 5.0)]
    found = sharpness.measure(mlp(), cross_entropy, [examples(20)], [name], rho=radii, m=m, steps=3)
    values = [one.value for one in found.values()]
    assert len(values) == 5
    assert values == sorted(values)
    assert values[0] > 0.0


class Waves(nn.Module):
    """sin(c w), c an example: a long step jumps over its maximum."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        return torch.sin(x * self.weight)


@pytest.mark.parametrize("m", [None, 1])
def test_a_smaller_radius_is_built_upon(m: int | None) -> None:
    data = [(torch.tensor([1.0, 1.1]), torch.zeros(2))]
    where = Problem(Waves(), lambda output, target: output.mean(), data, 0)
    small = result("worst-case", where, rho=1.45, m=m, steps=1)
    alone = result("worst-case", where, rho=3.0, m=m, steps=1)
    assert alone.value < small.value - 0.5
    built = result("worst-case", where, rho=3.0, m=m, steps=1, after=(1.45,))
    assert built.value >= small.value
    assert built.details["after"] == [1.45]


@pytest.mark.parametrize("m", [None, 15])
def test_a_value_does_not_depend_on_what_was_measured_before(m: int | None) -> None:
    """Whether the smaller radii are at hand, were pushed out by another measure, or come first now."""
    chain: dict[str, Any] = {"rho": 0.5, "after": (0.1, 0.2), "m": m, "steps": 3}
    fresh, used = problem(), problem()
    found = [result("worst-case", fresh, **chain)]
    result("worst-case", used, **chain | {"rho": 0.2, "after": (0.1,)})
    found.append(result("worst-case", used, **chain))
    result("worst-case-linf", used, steps=1, m=m)
    result("worst-case", used, rho=2.0, steps=3, m=m)
    found.append(result("worst-case", used, **chain))
    assert found[0] == found[1] == found[2]
    assert result("worst-case", used, **chain | {"after": ()}) == result("worst-case", fresh, **chain | {"after": ()})


def test_radii_that_do_not_increase() -> None:
    for after in ((0.2, 0.1), (0.3,), (0.4,)):
        with pytest.raises(ConfigError, match="must increase and be smaller than rho"):
            MEASURES.create("worst-case", rho=0.3, after=after)


def test_several_radii_in_one_call() -> None:
    """From the smallest on, whatever their order, and each once."""
    found = sharpness.measure(mlp(), cross_entropy, [examples()], ["worst-case"], rho=[0.5, 0.1, 0.2, 0.1], steps=3)
    assert list(found) == ["worst-case rho=0.1", "worst-case rho=0.2", "worst-case rho=0.5"]
    values = [one.value for one in found.values()]
    assert values == sorted(values)


@pytest.mark.parametrize("restarts", [1, 2])
@pytest.mark.parametrize("name", ALL)
def test_perturbations_stay_in_their_budget(name: str, restarts: int) -> None:
    where = Recording(mlp())
    found = result(name, where, restarts=restarts)
    weights = {n: w.detach() for n, w in zip(where.names, where.parameters, strict=True)}
    lengths = []
    for epsilon in where.visited:
        moved = dict(zip(where.names, epsilon, strict=True))
        if name == "worst-case-layerwise":
            lengths.append(max(float(moved[n].norm() / w.norm()) for n, w in weights.items()) / 0.003)
        elif name == "keskar":
            lengths.append(max(float((moved[n] / (w.abs() + 1)).abs().max()) for n, w in weights.items()) / 1e-3)
        else:
            adaptive = "adaptive" in name
            shares = [moved[n] / (w.abs() if adaptive else 1.0) for n, w in weights.items()]
            flat = torch.cat([share.flatten() for share in shares])
            lengths.append(float(flat.norm(p=math.inf if "linf" in name else 2)) / RADIUS[name])
    assert len(lengths) >= 20 * restarts
    assert max(lengths) <= 1 + 1e-5  # fp32
    assert max(lengths) >= 1 - 1e-5  # and the border is reached
    budget = {"worst-case-layerwise": 0.003, "keskar": 1e-3}.get(name) or RADIUS[name]
    assert found.details["perturbation_norm"] <= budget * (1 + 1e-5)


@pytest.mark.parametrize("name", WORST)
def test_linear_loss(name: str) -> None:
    """The maximum is ρ ‖T g‖_q; the curvature of the network is taken away by a loss linear in its only layer."""
    torch.manual_seed(2)
    model, (x, _) = nn.Linear(4, 1).double(), examples()
    where = Problem(model, lambda output, target: output.mean(), [(x.double(), x)], 0)
    w, g = model.weight.detach().flatten(), x.double().mean(0)
    scale = w.abs() + 0.02 if "adaptive" in name else torch.ones(4).double()
    gradient = torch.cat([scale * g, torch.ones(1).double()])
    options: dict[str, Any] = {"eta": 0.02, "scale": "weights"} if "adaptive" in name else {}
    found = result(name, where, rho=0.3, **options)
    assert found.value == pytest.approx(0.3 * float(gradient.norm(p=1 if "linf" in name else 2)), rel=1e-9)
    assert found.converged


@pytest.mark.parametrize("name", WORST)
def test_sets_of_examples(name: str) -> None:
    n = 12
    whole = result(name, problem(n=n))
    for m in (n, n + 1):
        same = result(name, problem(n=n), m=m)
        assert (same.value, same.stderr, same.converged) == (whole.value, whole.stderr, whole.converged)
    x, y = examples(n)
    single = [result(name, Problem(mlp().eval(), cross_entropy, [(x[i : i + 1], y[i : i + 1])], 0)) for i in range(n)]
    ones = result(name, problem(n=n), m=1)
    values = torch.tensor([one.value for one in single], dtype=torch.float64)
    assert all(one.stderr is None for one in single)  # one example has no spread
    assert ones.value == pytest.approx(float(values.mean()), rel=1e-12)
    assert ones.stderr == pytest.approx(float(values.std()) / math.sqrt(n), rel=1e-9)
    assert ones.details["sets"] == n
    assert ones.value > whole.value  # each example chooses the worst for itself


def test_sets_of_different_sizes_count_by_their_size() -> None:
    x, y = examples(20)
    sets = [(x[:16], y[:16]), (x[16:], y[16:])]
    large, small = (result("worst-case", Problem(mlp().eval(), cross_entropy, [part], 0)).value for part in sets)
    found = result("worst-case", problem(n=20), m=16)
    assert found.value == pytest.approx(0.8 * large + 0.2 * small, rel=1e-12)
    mean = 0.8 * large + 0.2 * small
    expected = math.sqrt(2 * ((0.8 * (large - mean)) ** 2 + (0.2 * (small - mean)) ** 2))
    assert found.stderr == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("restarts", [1, 2])
def test_how_examples_are_cut_into_batches_changes_nothing(name: str, restarts: int) -> None:
    x, y = examples()
    cuts = [0, 1, 8, 40, 60]
    ragged = [(x[a:b].double(), y[a:b]) for a, b in itertools.pairwise(cuts)]
    for m in (None, 17) if name in WORST else (None,):
        options: dict[str, Any] = {"restarts": restarts} | ({} if m is None else {"m": m, "steps": 5})
        whole = result(name, problem(mlp(torch.float64)), **options)
        other = result(name, Problem(mlp(torch.float64).eval(), cross_entropy, ragged, 0), **options)
        # the order of sums in fp64, carried through the steps
        assert other.value == pytest.approx(whole.value, rel=1e-9)
        assert other.stderr == pytest.approx(whole.stderr, rel=1e-9)


@pytest.mark.parametrize("name", [*WORST[2:], "worst-case-layerwise", "grad-norm-adaptive"])
def test_rescaling_a_relu_network(name: str) -> None:
    """Layer 1 times 10 and layer 2 divided by 10 is the same function."""
    plain, rescaled = relu_net(), relu_net()
    with torch.no_grad():
        rescaled[0].weight.mul_(10)
        rescaled[2].weight.div_(10)
    options: dict[str, Any] = {} if name == "worst-case-layerwise" else {"eta": 0.0}
    options |= {} if name == "grad-norm-adaptive" else {"restarts": 2}
    a, b = (result(name, problem(model), **options).value for model in (plain, rescaled))
    assert a == pytest.approx(b, rel=1e-8)  # fp64, carried through 40 steps
    assert a > 0.0


@pytest.mark.parametrize("name", ["worst-case", "worst-case-linf", "keskar"])
def test_rescaling_changes_the_others(name: str) -> None:
    plain, rescaled = relu_net(), relu_net()
    with torch.no_grad():
        rescaled[0].weight.mul_(10)
        rescaled[2].weight.div_(10)
    a, b = (result(name, problem(model)).value for model in (plain, rescaled))
    assert abs(a - b) > 0.1 * a


@pytest.mark.parametrize("restarts", [1, 2])
@pytest.mark.parametrize("name", WORST[2:])
def test_zero_weights_without_eta(name: str, restarts: int) -> None:
    """They have no room to move, and nothing is divided by them."""
    model = mlp()
    with torch.no_grad():
        model[0].weight[2:4].zero_()
    where = Recording(model)
    found = result(name, where, eta=0.0, restarts=restarts)
    assert math.isfinite(found.value)
    assert found.value > 0.0
    assert all(float(epsilon[0][2:4].abs().max()) == 0.0 for epsilon in where.visited)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    assert math.isfinite(result(name, problem(model), eta=0.0).value)


def test_standard_error_of_the_examples() -> None:
    """Against the losses at the perturbation that the ascent visited last as the best."""
    where = Recording(mlp())
    found = result("worst-case", where)
    x, y = examples()
    model = mlp().eval()
    before = cross_entropy(model(x), y, reduction="none").double()
    best, stderr = -math.inf, math.nan
    for epsilon in where.visited:
        moved = copy.deepcopy(model)
        with torch.no_grad():
            for parameter, e in zip(moved.parameters(), epsilon, strict=True):
                parameter += e
            difference = cross_entropy(moved(x), y, reduction="none").double() - before.detach()
        if float(difference.mean()) > best:
            best, stderr = float(difference.mean()), float(difference.std()) / math.sqrt(60)
    assert found.value == pytest.approx(best, abs=5e-7)  # fp32 losses near 1
    assert found.stderr == pytest.approx(stderr, rel=1e-4)
    assert found.details["example_stderr"] == found.stderr


class Normalised(nn.Module):
    """The network with its logits normalised as its last layer."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        f = self.model(x)
        f = f - f.mean(1, keepdim=True)
        return f / f.norm(dim=1, keepdim=True)


@pytest.mark.parametrize("name", WORST)
def test_normalised_logits(name: str) -> None:
    expected = result(name, problem(Normalised(mlp(torch.float64))))
    found = result(name, problem(mlp(torch.float64)), normalise_logits=True)
    assert found.value == pytest.approx(expected.value, rel=1e-9)
    assert found.stderr == pytest.approx(expected.stderr, rel=1e-9)
    assert found.details["loss"] == pytest.approx(expected.details["loss"], rel=1e-12)


def test_normalised_logits_have_no_scale() -> None:
    """Multiplying the last layer changes the loss, but not that of normalised logits."""
    model, larger = relu_net(), relu_net()
    with torch.no_grad():
        larger[2].weight.mul_(7)
    options = {"eta": 0.0, "normalise_logits": True, "m": 16}
    a, b = (result("worst-case-adaptive", problem(net), **options).value for net in (model, larger))
    assert a == pytest.approx(b, rel=1e-9)


@pytest.mark.parametrize("name", ALL)
def test_same_seed_same_bits(name: str) -> None:
    options: dict[str, Any] = {"restarts": 2, "steps": 8} | ({"m": 30} if name in WORST else {})
    found = []
    for global_seed in (1, 2):
        where = problem()
        torch.manual_seed(global_seed)
        found.append(result(name, where, **options))
        assert result(name, where, **options) == found[-1]  # also a second time on the same problem
    assert found[0] == found[1]
    where = problem()
    state = torch.get_rng_state()
    result(name, where, **options)
    assert torch.equal(torch.get_rng_state(), state)  # draws only from its own generator


@pytest.mark.parametrize("name", ALL)
def test_weights_come_back(name: str) -> None:
    model, (x, y) = mlp(), examples()
    state = copy.deepcopy(model.state_dict())
    sharpness.measure(model, cross_entropy, [(x, y)], [name], restarts=2)
    assert all(torch.equal(state[key], tensor) for key, tensor in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("name", ALL)
def test_losses_that_are_not_finite(name: str) -> None:
    model = nn.Linear(4, 3)
    x, y = examples()
    options: dict[str, Any] = {"m": 16} if name in WORST else {}
    found = result(name, Problem(model, cross_entropy, [(x * math.inf, y)], 0), **options)
    assert math.isnan(found.value)
    assert not found.converged
    if name in WORST:
        data = [(torch.ones(5, 4), torch.zeros(5, 1))]
        found = result(name, Problem(nn.Linear(4, 1), nn.functional.mse_loss, data, 0), rho=1e25)
        assert math.isnan(found.value)
        assert not found.converged


@pytest.mark.parametrize("name", ALL)
def test_a_loss_without_the_parameters_is_flat(name: str) -> None:
    where = Problem(nn.Linear(4, 3), lambda o, t: t.double().mean(), [examples()], 0)
    found = result(name, where)
    assert found.value == 0.0
    assert found.converged


def test_what_was_measured_is_recorded() -> None:
    details = result("worst-case-adaptive-linf", rho=0.3, m=20, steps=7, restarts=2, normalise_logits=True).details
    expected = {"rho": 0.3, "norm": math.inf, "eta": 0.0, "scale": "all", "steps": 7, "restarts": 2, "m": 20, "sets": 3}
    assert {key: details[key] for key in expected} == expected
    assert details["normalise_logits"] is True
    assert details["examples"] == 60
    assert 2 * 2 * 7 < details["passes"] <= 2 * 2 * 8 + 3
