"""The edge of stability against optimizers that run into it, and Adam's λ_max against an exact Hessian."""

import copy
import dataclasses
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop

from samcli import optim, sharpness
from samcli.errors import NotApplicable
from samcli.sharpness.stability import Stability, stability_of

cross_entropy = nn.functional.cross_entropy


def examples() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    return torch.randn(60, 4, generator=generator, dtype=torch.float64), torch.randint(3, (60,), generator=generator)


class Network(nn.Module):
    """Tanh units, and a layer that is never used."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.first, self.unused, self.last = nn.Linear(4, 6), nn.Linear(2, 2), nn.Linear(6, 3)
        self.double()

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.first(x).tanh())


def trained(make: Callable[[Iterable[nn.Parameter]], Optimizer], steps: int = 3) -> tuple[Network, Optimizer]:
    model, (x, y) = Network(), examples()
    optimizer = make(model.parameters())

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = cross_entropy(model(x), y)
        loss.backward()
        return loss

    for _ in range(steps):
        optimizer.step(closure)
    optimizer.zero_grad()
    return model, optimizer


def measured(
    model: nn.Module, optimizer: Optimizer | None, name: str = "lambda-max-adam", **options: Any
) -> sharpness.Result:
    return sharpness.measure(model, cross_entropy, [examples()], [name], optimizer=optimizer, **options)[name]


def exact_hessian(model: Network) -> Tensor:
    """By torch.func, of the parameters that are used, in the order of the model."""
    x, y = examples()
    parameters = {n: p.detach() for n, p in model.named_parameters() if "unused" not in n}

    def loss(flat: Tensor) -> Tensor:
        pieces = flat.split([p.numel() for p in parameters.values()])
        given = {n: piece.view(p.shape) for (n, p), piece in zip(parameters.items(), pieces, strict=True)}
        return cross_entropy(torch.func.functional_call(model, given, (x,)), y)

    return torch.func.hessian(loss)(torch.cat([p.reshape(-1) for p in parameters.values()]))


def preconditioner(betas: tuple[float, float], eps: float, amsgrad: bool, steps: int = 3) -> Tensor:
    """Adam's P after some steps, from the gradients of a twin."""
    twin, optimizer = trained(lambda p: Adam(p, 0.01, betas, eps, amsgrad=amsgrad), 0)
    x, y = examples()
    square, largest = torch.zeros(51, dtype=torch.float64), torch.zeros(51, dtype=torch.float64)
    for _ in range(steps):
        cross_entropy(twin(x), y).backward()
        used = [p.grad.reshape(-1) for n, p in twin.named_parameters() if "unused" not in n]
        square = betas[1] * square + (1 - betas[1]) * torch.cat(used) ** 2
        largest = torch.maximum(largest, square)
        optimizer.step()
        optimizer.zero_grad()
    root = ((largest if amsgrad else square) / (1 - betas[1] ** steps)).sqrt() + eps
    return (1 - betas[0] ** steps) * root


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("amsgrad", [False, True])
def test_against_an_exact_hessian(amsgrad: bool, wrapped: bool) -> None:
    """To the square of the tolerance, as a Rayleigh quotient is; SAM at ρ = 0 is Adam."""
    betas, eps = (0.8, 0.95), 1e-3

    def make(parameters: Iterable[nn.Parameter]) -> Optimizer:
        base = Adam(parameters, 0.01, betas, eps, amsgrad=amsgrad)
        return optim.build("sam", base, rho=0.0) if wrapped else base

    model, optimizer = trained(make)
    scale = preconditioner(betas, eps, amsgrad).rsqrt()
    expected = float(torch.linalg.eigvalsh(scale[:, None] * exact_hessian(model) * scale)[-1])
    before = copy.deepcopy(optimizer.state_dict())
    found = measured(model, optimizer, tolerance=1e-4)
    assert found.converged
    assert found.value == pytest.approx(expected, rel=1e-6)
    edge = (2 + 2 * 0.8) / (0.2 * 0.01)
    assert found.details["edge_of_stability"] == pytest.approx(edge)
    assert found.details["edge_ratio"] == pytest.approx(expected / edge, rel=1e-6)
    for key, state in optimizer.state_dict()["state"].items():
        assert all(torch.equal(state[name], tensor) for name, tensor in before["state"][key].items())


def test_parameters_that_the_optimizer_does_not_move_are_left_out() -> None:
    model, (x, y) = Network(), examples()
    adam = AdamW(model.last.parameters(), 0.01)
    cross_entropy(model(x), y).backward()
    adam.step()
    block = exact_hessian(model)[-21:, -21:]
    scale = torch.cat(
        [(0.1 * (adam.state[p]["exp_avg_sq"] / 0.001).sqrt() + 1e-9).reshape(-1) for p in model.last.parameters()]
    ).rsqrt()
    expected = float(torch.linalg.eigvalsh(scale[:, None] * block * scale)[-1])
    assert measured(model, adam, tolerance=1e-4).value == pytest.approx(expected, rel=1e-6)


def growth(optimizer: Optimizer, weight: nn.Parameter, curvature: float) -> float:
    """By how much 300 steps on ½ λ w² change |w|, at most by 1e100."""
    weight.data.fill_(1.0)
    for _ in range(300):
        weight.grad = curvature * weight.detach()
        optimizer.step()
        if float(weight.detach().abs()) > 1e100:
            break
    return float(weight.detach().abs())


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"momentum": 0.9},
        {"momentum": 0.5, "nesterov": True},
        {"momentum": 0.9, "nesterov": True},
        {"momentum": 0.9, "dampening": 0.5},
        {"dampening": 0.5},
    ],
)
def test_sgd_runs_into_its_edge(options: dict[str, Any]) -> None:
    """2 % below it converges, 2 % above it does not."""
    for share, converges in ((0.98, True), (1.02, False)):
        model = nn.Linear(1, 1, bias=False).double()
        optimizer = SGD(model.parameters(), 0.1, **options)
        known = stability_of(optimizer, model)
        assert known is not None
        assert known.preconditioner is None
        edge = known.details(1.0)["edge_of_stability"]
        assert (growth(optimizer, model.weight, share * edge) < 1.0) == converges


@pytest.mark.parametrize("beta", [0.9, 0.5])
def test_adam_runs_into_its_edge(beta: float) -> None:
    """With a second moment that hardly changes: P is then a constant, and the edge exact."""
    for share, converges in ((0.98, True), (1.02, False)):
        model = nn.Linear(1, 1, bias=False).double()
        optimizer = Adam(model.parameters(), 0.1, betas=(beta, 1 - 1e-15))
        growth(optimizer, model.weight, 1.0)  # makes a state
        state = optimizer.state[model.weight]
        state["step"].fill_(1e8)
        state["exp_avg"].zero_()
        state["exp_avg_sq"].fill_(9.0 * (1 - (1 - 1e-15) ** 1e8))
        known = stability_of(optimizer, model)
        assert known is not None
        assert known.preconditioner is not None
        p = float(known.preconditioner["weight"])
        assert p == pytest.approx(3.0)
        edge = known.details(1.0)["edge_of_stability"]
        assert edge == pytest.approx((2 + 2 * beta) / ((1 - beta) * 0.1))
        weight = growth_in_small(optimizer, model.weight, share * edge * p)
        assert (weight < 1.0) == converges


def growth_in_small(optimizer: Optimizer, weight: nn.Parameter, curvature: float) -> float:
    """As `growth`, from so near the minimum that the second moment does not notice."""
    weight.data.fill_(1e-30)
    for _ in range(100):
        weight.grad = curvature * weight.detach()
        optimizer.step()
    return float(weight.detach().abs()) / 1e-30


def test_plain_lambda_max_has_the_edge_of_sgd_only() -> None:
    model, optimizer = trained(lambda p: SGD(p, 0.05, momentum=0.9))
    optimizer.param_groups[0]["lr"] = 0.02  # as a schedule does
    details = measured(model, optimizer, "lambda-max").details
    assert details["edge_of_stability"] == pytest.approx(3.8 / 0.02)
    assert details["learning_rate"] == 0.02
    assert details["base_learning_rate"] == 0.05
    for other in (None, trained(Adam)[1]):
        assert "edge_of_stability" not in measured(model, other, "lambda-max").details
    assert "edge_of_stability" not in measured(model, optimizer, "lambda-min").details
    optimizer.param_groups[0]["lr"] = 0.0
    details = measured(model, optimizer, "lambda-max").details
    assert (details["edge_of_stability"], details["edge_ratio"]) == (math.inf, 0.0)


class Wrapper(Optimizer):
    """An optimizer that is not of this project, around another one."""

    def __init__(self, base: object, parameters: Iterable[nn.Parameter]) -> None:
        super().__init__(parameters, {"lr": 1.0})
        self.base = base


def test_any_optimizer_around_another_has_the_edge_of_its_base() -> None:
    model = nn.Linear(1, 1)
    base = SGD(model.parameters(), 0.1, momentum=0.9)
    wrapped, own = stability_of(Wrapper(base, model.parameters()), model), stability_of(base, model)
    assert wrapped is not None
    assert own is not None
    assert dataclasses.replace(wrapped, radius=0.0) == own
    assert wrapped.radius is None, "nobody knows where that of a stranger lies"
    assert stability_of(Wrapper("of a number system", model.parameters()), model) is None
    base.base = 10  # an attribute of a subclass, perhaps
    assert stability_of(base, model) is not None


def test_nothing_is_taken_from_the_optimizers() -> None:
    """Sharpness is a library of its own: what it needs of an optimizer it reads from the object."""
    folder = Path(sharpness.__file__).parent
    sources = [path.read_text() for path in folder.rglob("*.py")]
    assert len(sources) > 20
    assert not any("samcli.optim" in source for source in sources)


def two_rates(parameters: Iterable[nn.Parameter]) -> Optimizer:
    first, *others = parameters
    return Adam([{"params": [first]}, {"params": others, "lr": 0.1}], lr=0.01)


@pytest.mark.parametrize("make", [SGD, RMSprop, two_rates])
def test_does_not_apply(make: Callable[..., Optimizer]) -> None:
    for model, optimizer in (trained(make), trained(Adam, steps=0), (Network(), None)):
        with pytest.raises(NotApplicable, match="needs the state of Adam or AdamW"):
            measured(model, optimizer)


def test_the_edge_of_sam_is_where_a_quadratic_no_longer_settles() -> None:
    """On ½ λ w² with ‖g‖ held at its value SAM's step is w ← w - η λ (w + ρ sign(w)): by a bisection over λ, the
    largest at which |w| does not grow is the formula's; tolerance that of the bisection.
    """
    rate, radius = 0.2, 0.05
    for norm in (0.01, 0.1, 1.0):
        low, high = 0.0, 2.0 / rate
        for _ in range(60):
            curvature = (low + high) / 2.0
            w = norm / curvature
            after = w - rate * curvature * (w + radius)
            low, high = (curvature, high) if abs(after) <= w else (low, curvature)
        found = Stability(rate, rate, 2.0, radius=radius).edge(norm)
        assert found == pytest.approx(low, rel=1e-9)
    assert Stability(rate, rate, 2.0, radius=0.0).edge(1.0) == 2.0 / rate


@pytest.mark.parametrize(
    ("name", "options", "momentum", "radius"),
    [
        ("sam", {"rho": 0.05}, 0.0, 0.05),
        ("sam", {"rho": 0.0}, 0.0, 0.0),
        ("sam", {"rho": 0.05}, 0.9, None),
        ("sam", {"rho": 0.05, "norm": math.inf}, 0.0, None),
        ("asam", {"rho": 0.5}, 0.0, None),
        ("asam", {"rho": 0.0}, 0.0, 0.0),  # the base optimizer, as any rule then is
        ("sam", {"rho": 0.05, "ascent_steps": 2}, 0.0, None),
        ("sam", {"rho": 0.05, "m": 8}, 0.0, None),
        ("sam", {"rho": 0.05, "ascent_fraction": 0.5}, 0.0, None),
        ("sam", {"rho": 0.05, "ascent_precision": "bf16"}, 0.0, None),
        ("sam", {"rho": 0.05, "ascent_weight_decay": True}, 0.0, 0.05),  # of no decay
    ],
)
def test_whose_own_edge_is_known(name: str, options: dict[str, Any], momentum: float, radius: float | None) -> None:
    model = Network()
    wrapped = optim.build(name, SGD(model.parameters(), 0.1, momentum=momentum), model=model, **options)
    known = stability_of(wrapped, model)
    assert known is not None
    assert known.radius == radius
    assert stability_of(wrapped.base, model).radius == 0.0  # type: ignore[union-attr]


@pytest.mark.parametrize("options", [{"maximize": True}, {"weight_decay": 0.1}])
def test_the_edge_is_not_known_where_sam_climbs_something_else(options: dict[str, Any]) -> None:
    model = Network()
    base = SGD(model.parameters(), 0.1, **options)
    known = stability_of(optim.build("sam", base, model=model, rho=0.05, ascent_weight_decay=True), model)
    assert known is not None
    assert known.radius is None


def test_the_edge_of_micro_batches_is_another_one() -> None:
    """On two examples with the gradients a(w ± 1) SAM with m = 1 moves apart what plain SAM moves together: the steps
    differ, hence the edge of the formula is not theirs.
    """
    ends = []
    for m in (None, 1):
        model = nn.Linear(1, 1, bias=False).double()
        model.weight.data.fill_(0.5)
        x, y = torch.ones(2, 1, dtype=torch.float64), torch.tensor([[1.0], [-1.0]], dtype=torch.float64)
        optimizer = optim.build("sam", SGD(model.parameters(), 0.1), model=model, rho=0.05, m=m)
        optimizer.step(optim.Batch(model, nn.functional.mse_loss, x, y))
        ends.append(float(model.weight.detach()))
    assert ends[0] == pytest.approx(0.5 - 0.1 * 2 * 0.55)
    assert ends[1] == pytest.approx(0.5 - 0.1 * 2 * 0.5)  # ε of opposite signs cancel


def test_edge_ratio_is_the_eigenvalue_over_the_edge() -> None:
    model, optimizer = trained(lambda p: SGD(p, lr=0.1))
    wrapped = optim.build("sam", SGD(model.parameters(), 0.1), model=model, rho=0.05)
    largest = measured(model, optimizer, "lambda-max").value
    x, y = examples()
    gradient = torch.autograd.grad(
        cross_entropy(model(x), y), [p for n, p in model.named_parameters() if "unused" not in n]
    )
    norm = torch.cat([g.flatten() for g in gradient]).norm().item()
    assert measured(model, optimizer, "edge-ratio").value == pytest.approx(largest / 20.0)
    found = measured(model, wrapped, "edge-ratio")
    edge = norm / 0.1 * (math.sqrt(1.0 + 0.4 / (0.1 * norm)) - 1.0)
    assert (found.value, found.details["edge"]) == (pytest.approx(largest / edge), pytest.approx(edge))
    for other in (None, *(optim.build(*of, model=model) for of in unknown(model))):
        with pytest.raises(NotApplicable, match="edge-ratio knows the edge of SGD, Adam and AdamW, and of SAM over"):
            measured(model, other, "edge-ratio")


def unknown(model: nn.Module) -> list[tuple[str, Optimizer]]:
    """Optimizers whose own edge nobody knows."""
    return [("asam", SGD(model.parameters(), 0.1)), ("sam", Adam(model.parameters(), 0.1))]


def test_edge_ratio_of_adam_is_that_of_its_own_eigenvalue() -> None:
    model, optimizer = trained(lambda p: Adam(p, 0.01, (0.8, 0.99)))
    largest = measured(model, optimizer, "lambda-max-adam")
    found = measured(model, optimizer, "edge-ratio")
    assert found.value == pytest.approx(largest.value / (3.6 / 0.2 / 0.01))
    assert found.value == pytest.approx(largest.details["edge_ratio"])
