"""All measures of curvature together, against closed forms and exact matrices."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from samcli import sharpness

SPECTRAL = ["lambda-max", "lambda-min", "top-eigenvalues", "lambda-max-adaptive", "gauss-newton-lambda-max"]
RANDOM = ["trace", "trace-adaptive", "gauss-newton-trace", "frobenius", "spectral-density"]
Loss = Callable[[Tensor, Tensor], Tensor]
Batches = list[tuple[Tensor, Tensor]]
Exact = Callable[[nn.Module, Tensor, Tensor], Tensor]
CROSS_ENTROPY = nn.functional.cross_entropy


def examples(n: int = 60, features: int = 4, classes: int = 3) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(n, features, generator=generator, dtype=torch.float64)
    return x, torch.randint(classes, (n,), generator=generator)


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


def test_spectrum_of_a_small_network(
    exact_hessian: Exact, exact_gauss_newton: Exact, asam_scale: Callable[[nn.Module, float], Tensor]
) -> None:
    """To the square of the tolerance, for the error of a Rayleigh quotient is second order in the residual."""
    model, (x, y) = mlp(), examples()
    h, g, t = exact_hessian(model, x, y), exact_gauss_newton(model, x, y), asam_scale(model, 0.02)
    spectrum = torch.linalg.eigvalsh(h)
    found = measure(model, SPECTRAL, tolerance=1e-4, eta=0.02, scale="weights")
    assert all(result.converged for result in found.values())
    size = float(spectrum.abs().max())
    assert found["lambda-max"].value == pytest.approx(float(spectrum[-1]), rel=1e-6)
    assert found["lambda-min"].value == pytest.approx(float(spectrum[0]), abs=1e-6 * size)
    assert float(spectrum[0]) < 0.0
    top = found["top-eigenvalues"]
    assert top.details["values"] == pytest.approx(spectrum.flip(0)[:5].tolist(), abs=1e-5 * size)
    assert top.value == top.details["values"][0]
    assert top.details["ratio"] == pytest.approx(float(spectrum[-1] / spectrum[-5]), rel=1e-4)
    assert found["gauss-newton-lambda-max"].value == pytest.approx(float(torch.linalg.eigvalsh(g)[-1]), rel=1e-6)
    adaptive = float(torch.linalg.eigvalsh(t[:, None] * h * t)[-1])
    assert found["lambda-max-adaptive"].value == pytest.approx(adaptive, rel=1e-6)


def test_random_estimates_of_a_small_network(
    exact_hessian: Exact, exact_gauss_newton: Exact, asam_scale: Callable[[nn.Module, float], Tensor]
) -> None:
    """Each within 3 of its standard errors, for 5 seeds: that is 25 values, and about one in 300 would be outside."""
    model, (x, y) = mlp(), examples()
    h, g, t = exact_hessian(model, x, y), exact_gauss_newton(model, x, y), asam_scale(model, 0.0)
    spectrum = torch.linalg.eigvalsh(h)
    expected = {
        "trace": float(h.trace()),
        "trace-adaptive": float((t * h.diagonal() * t).sum()),
        "gauss-newton-trace": float(g.trace()),
        "frobenius": float(h.norm()),
        "spectral-density": float(spectrum.clamp(max=0).abs().sum() / spectrum.abs().sum()),
    }
    for seed in range(5):
        found = measure(model, RANDOM, seed=seed, max_products=45, lanczos_steps=30, scale="weights")
        for name, truth in expected.items():
            assert found[name].stderr == found[name].details["probe_stderr"] > 0.0
            assert abs(found[name].value - truth) <= 3 * found[name].stderr, name


def test_linear_regression() -> None:
    """The Hessian of the mean square is 2 XᵀX / n, and so is the Gauss-Newton matrix."""
    x, _ = examples()
    data = [(x[:7], torch.zeros(7, 1).double()), (x[7:], torch.ones(53, 1).double())]
    spectrum = torch.linalg.eigvalsh(2 * x.T @ x / len(x))
    model = nn.Linear(4, 1, bias=False).double()
    found = measure(model, [*SPECTRAL, *RANDOM], data, nn.functional.mse_loss, k=4, max_products=12, tolerance=1e-5)
    assert all(result.converged for result in found.values())
    assert found["lambda-max"].value == pytest.approx(float(spectrum[-1]), rel=1e-9)
    assert found["gauss-newton-lambda-max"].value == pytest.approx(float(spectrum[-1]), rel=1e-9)
    assert found["lambda-min"].value == pytest.approx(float(spectrum[0]), rel=1e-9)
    assert found["top-eigenvalues"].details["values"] == pytest.approx(spectrum.flip(0).tolist(), rel=1e-9)
    for name in ("trace", "gauss-newton-trace"):
        assert found[name].value == pytest.approx(float(spectrum.sum()), rel=1e-9)
    assert found["frobenius"].value == pytest.approx(float(spectrum.norm()), rel=1e-9)
    assert found["spectral-density"].value == 0.0


def test_logistic_regression() -> None:
    """The Hessian is Xᵀ diag(p (1 - p)) X / n."""
    x, y = examples(classes=2)
    torch.manual_seed(0)
    model = nn.Linear(4, 1, bias=False).double()

    def loss(output: Tensor, target: Tensor) -> Tensor:
        return nn.functional.binary_cross_entropy_with_logits(output.squeeze(1), target.double())

    p = model(x).detach().sigmoid()
    spectrum = torch.linalg.eigvalsh((x * p * (1 - p)).T @ x / len(x))
    names = ["lambda-max", "lambda-min", "top-eigenvalues", "gauss-newton-trace"]
    found = measure(model, names, [(x, y)], loss, k=3)
    assert found["lambda-max"].value == pytest.approx(float(spectrum[-1]), rel=1e-5)
    assert found["lambda-min"].value == pytest.approx(float(spectrum[0]), rel=1e-5)
    assert found["top-eigenvalues"].details["values"] == pytest.approx(spectrum.flip(0)[:3].tolist(), rel=1e-5)
    assert found["gauss-newton-trace"].value == pytest.approx(float(spectrum.sum()), rel=1e-9)


def test_rescaling_a_relu_network() -> None:
    """Layer 1 times 10 and layer 2 divided by 10 is the same function: the adaptive measures (η = 0) agree."""
    models = [mlp(nn.ReLU, bias=False) for _ in range(2)]
    with torch.no_grad():
        models[1][0].weight.mul_(10)
        models[1][2].weight.div_(10)
    names = ["lambda-max", "trace", "frobenius", "lambda-max-adaptive", "trace-adaptive"]
    one, other = (measure(model, names) for model in models)
    for name in ("lambda-max-adaptive", "trace-adaptive"):
        assert one[name].value == pytest.approx(other[name].value, rel=1e-9)
    for name in ("lambda-max", "trace", "frobenius"):
        assert other[name].value > 3 * one[name].value


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_batches_of_any_sizes_give_the_same_value(dtype: torch.dtype) -> None:
    model, (x, y) = mlp().to(dtype), examples()
    x = x.to(dtype)
    cuts = [0, 1, 8, 40, 60]
    ragged = [(x[a:b], y[a:b]) for a, b in itertools.pairwise(cuts)]
    few = {"lanczos_steps": 12, "max_products": 18, "max_iterations": 30}
    whole, cut = (measure(model, [*SPECTRAL, *RANDOM], data, **few) for data in ([(x, y)], ragged))
    for name in whole:
        # rounding of fp32 sums; lambda-min and the share of negative curvature are small parts of what is rounded
        close = {"rel": 1e-9} if dtype == torch.float64 else {"rel": 1e-4, "abs": 1e-5}
        assert cut[name].value == pytest.approx(whole[name].value, **close), name


def test_same_seed_same_bits() -> None:
    found, names = [], [*SPECTRAL, *RANDOM]
    for global_seed, seed in ((1, 5), (2, 5), (1, 6)):
        model = mlp()
        torch.manual_seed(global_seed)
        before = torch.get_rng_state()
        found.append(measure(model, names, seed=seed, lanczos_steps=12, max_products=18, max_iterations=30))
        assert torch.equal(torch.get_rng_state(), before)
    assert found[0] == found[1]
    assert all(found[0][name].value != found[2][name].value for name in RANDOM)
    # another start vector leaves another residual, and the same eigenvalue
    first, other = found[0]["lambda-max"], found[2]["lambda-max"]
    assert first.details["residual"] != other.details["residual"]
    assert first.value == pytest.approx(other.value, rel=1e-5)


def test_products_are_shared() -> None:
    """Measures together need the products of the longest one, and give what they give alone."""
    model, (x, y) = mlp(), examples()

    def spent(names: list[str]) -> tuple[int, dict[str, sharpness.Result]]:
        problem = sharpness.Problem(model, CROSS_ENTROPY, [(x, y)], seed=0)
        found = {name: sharpness.MEASURES.create(name).of(problem) for name in names}
        return problem.products, found

    names = ["lambda-max", "lambda-min", "top-eigenvalues", "trace", "frobenius"]
    alone = {name: spent([name]) for name in names}
    for name, (products, found) in alone.items():
        assert products == found[name].details["products"] == found[name].details["passes"] / 4
    for order in (names, names[::-1]):
        together, found = spent(order)
        assert all(found[name] == alone[name][1][name] for name in names)
        steps = max(found["lambda-max"].details["products"], found["lambda-min"].details["products"]) - 1
        later = sum(alone[name][0] for name in names) - together
        assert later >= 2 * min(steps, 10)
        assert together <= 0.7 * sum(products for products, _ in alone.values())


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.1, batch_first=True)
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        steps = torch.arange(1.0, 6.0, dtype=x.dtype).view(1, 5, 1)
        return self.head(self.layer((x.unsqueeze(1) * steps).sin()).mean(1))


def test_transformer(hessian_by_differences: Exact, exact_gauss_newton: Exact) -> None:
    torch.manual_seed(0)
    model, (x, y) = Encoder().double(), examples(20)
    model.eval()
    h = hessian_by_differences(model, x, y)
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        g = exact_gauss_newton(model, x, y)
    model.train()
    names = ["lambda-max", "top-eigenvalues", "trace", "gauss-newton-trace", "gauss-newton-lambda-max"]
    found = measure(model, names, [(x, y)])
    assert found["lambda-max"].value == pytest.approx(float(torch.linalg.eigvalsh(h)[-1]), rel=1e-5)
    assert found["gauss-newton-lambda-max"].value == pytest.approx(float(torch.linalg.eigvalsh(g)[-1]), rel=1e-5)
    top = torch.linalg.eigvalsh(h).flip(0)[:5].tolist()
    assert found["top-eigenvalues"].details["values"] == pytest.approx(top, abs=1e-3 * top[0])
    for name, exact in (("trace", h), ("gauss-newton-trace", g)):
        assert abs(found[name].value - float(exact.trace())) <= 3 * found[name].stderr


def test_what_has_not_converged_says_so() -> None:
    found = measure(mlp(), SPECTRAL, max_iterations=3)
    assert not any(result.converged for result in found.values())
    found = measure(mlp(), ["trace", "frobenius", "gauss-newton-trace"], max_products=6)
    assert not any(result.converged for result in found.values())
    assert all(result.stderr > 0.05 * abs(result.value) for result in found.values())


@pytest.mark.parametrize("loss", [lambda o, t: o.mean(), lambda o, t: t.double().mean()])
def test_no_curvature(loss: Loss) -> None:
    """A loss linear in the parameters, and one that does not depend on them."""
    model = nn.Linear(4, 3).double()
    found = measure(model, [*SPECTRAL, *RANDOM], loss=loss)
    assert {result.value for result in found.values()} == {0.0}
    assert all(result.converged for result in found.values())
    assert found["top-eigenvalues"].details["values"] == [0.0] * 5
    assert found["top-eigenvalues"].details["ratio"] is None


def test_unused_and_frozen_parameters() -> None:
    class Partly(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.unused, self.frozen = nn.Linear(4, 3), nn.Linear(2, 2), nn.Linear(3, 3)
            self.frozen.requires_grad_(False)

        def forward(self, x: Tensor) -> Tensor:
            return self.frozen(self.used(x))

    torch.manual_seed(0)
    model, (x, y) = Partly().double(), examples()
    used = nn.Sequential(model.used, model.frozen)
    names = ["lambda-max", "gauss-newton-lambda-max"]
    whole, part = (measure(m, names, [(x, y)]) for m in (model, used))
    for name in names:
        assert whole[name].value == pytest.approx(part[name].value, rel=1e-5)
    assert all(parameter.grad is None for parameter in model.parameters())


def test_what_is_not_finite_is_not_a_number() -> None:
    data = [(torch.full((5, 4), math.inf).double(), torch.zeros(5, dtype=torch.long))]
    found = measure(mlp(), [*SPECTRAL, *RANDOM], data)
    assert all(math.isnan(result.value) and not result.converged for result in found.values())
    assert all(result.stderr is None for result in found.values())
