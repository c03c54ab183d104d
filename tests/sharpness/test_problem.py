"""The mean loss and its derivatives against closed forms and exact matrices."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from samcli.errors import NotApplicable
from samcli.sharpness import Problem
from samcli.sharpness.measures._curvature import adaptive_hessian
from samcli.weights.frozen import freeze

Exact = Callable[[nn.Module, Tensor, Tensor], Tensor]
cross_entropy = nn.functional.cross_entropy


def examples(n: int = 60) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(n, 4, generator=generator, dtype=torch.float64)
    return x, torch.randint(3, (n,), generator=generator)


def mlp() -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)).double()


def ragged(model: nn.Module, n: int = 60) -> Problem:
    x, y = examples(n)
    return Problem(model, cross_entropy, [(x[:11], y[:11]), (x[11:11], y[11:11]), (x[11:], y[11:])], seed=0)


def test_loss_and_gradient_are_those_of_all_examples_together() -> None:
    """At the parameters and beside them, which come back bit for bit; to the rounding of sums in fp64."""
    model, (x, y) = mlp(), examples()
    problem, before = ragged(model), [p.detach().clone() for p in model.parameters()]
    epsilon = [0.1 * torch.ones_like(p) for p in model.parameters()]
    there = mlp()
    with torch.no_grad():
        for parameter, e in zip(there.parameters(), epsilon, strict=True):
            parameter += e
    for twin, (loss, gradient), alone in (
        (mlp(), problem.loss_and_gradient, problem.loss_at()),
        (there, problem.loss_and_gradient_at(epsilon), problem.loss_at(epsilon)),
    ):
        expected = cross_entropy(twin(x), y)
        assert loss == pytest.approx(expected.item(), rel=1e-12)
        assert alone == pytest.approx(expected.item(), rel=1e-12)
        for found, exact in zip(gradient, torch.autograd.grad(expected, list(twin.parameters())), strict=True):
            torch.testing.assert_close(found, exact, rtol=1e-9, atol=1e-12)
    assert all(map(torch.equal, before, model.parameters()))


def test_losses_and_outputs_of_the_examples_are_in_their_order() -> None:
    model, (x, y) = mlp(), examples()
    problem = ragged(model)
    expected = cross_entropy(model(x), y, reduction="none").detach()
    torch.testing.assert_close(problem.example_losses(), expected, rtol=1e-12, atol=0)
    outputs, targets = problem.outputs()
    torch.testing.assert_close(outputs, model(x).detach(), rtol=1e-12, atol=1e-12)
    assert torch.equal(targets, y)
    torch.testing.assert_close(problem.output_losses(outputs, targets), expected, rtol=1e-12, atol=0)
    moved = [torch.ones_like(p) for p in model.parameters()]
    assert problem.loss_at(moved) == pytest.approx(float(problem.example_losses(moved).mean()), rel=1e-12)
    assert not torch.equal(problem.outputs(moved)[0], outputs)


def test_subsets_are_successive_and_hold_all_examples() -> None:
    problem = ragged(mlp())
    subsets = list(problem.subsets(25))
    assert [subset.examples for subset in subsets] == [25, 25, 10]
    losses = torch.cat([subset.example_losses() for subset in subsets])
    torch.testing.assert_close(losses, problem.example_losses(), rtol=1e-12, atol=0)
    batches = Problem(mlp(), cross_entropy, [examples(11)], seed=0, batch_norm="batch")
    for m in (1, 5):
        with pytest.raises(NotApplicable, match="no statistics for BatchNorm"):
            list(batches.subsets(m))


def test_what_is_cached_is_computed_once() -> None:
    problem, calls = ragged(mlp()), []

    def compute() -> int:
        calls.append(1)
        return len(calls)

    assert [problem.cached(key, compute) for key in ("a", "a", "b", "a")] == [1, 1, 2, 1]
    # another loss is another problem
    assert problem.with_loss(lambda loss: lambda o, t: 2 * loss(o, t)).cached("a", compute) == 3


def test_draws_are_functions_of_the_seed_and_the_purpose() -> None:
    (x, y), model = examples(), mlp()

    def draw(seed: int, purpose: str) -> Tensor:
        problem = Problem(model, cross_entropy, [(x, y)], seed)
        return torch.cat([part.reshape(-1) for part in problem.normal(problem.generator(purpose))])

    state = torch.get_rng_state()
    assert torch.equal(draw(0, "a"), draw(0, "a"))
    assert not torch.equal(draw(0, "a"), draw(1, "a"))
    assert not torch.equal(draw(0, "a"), draw(0, "b"))
    assert torch.equal(torch.get_rng_state(), state)


def test_the_shapes_of_the_parameters() -> None:
    model = mlp()
    model[0].bias.requires_grad_(False)
    problem = ragged(model)
    assert problem.names == ["0.weight", "2.weight", "2.bias"]
    assert (problem.dimension, problem.dtype, problem.batch_size) == (24 + 18 + 3, "float64", 49)
    parts = problem.unflatten(torch.arange(45.0))
    assert [part.shape for part in parts] == [parameter.shape for parameter in problem.parameters]
    assert torch.equal(torch.cat([part.reshape(-1) for part in parts]), torch.arange(45.0))


def unit_vectors(problem: Problem, times: Callable[[Tensor], Tensor]) -> Tensor:
    return torch.stack([times(e) for e in torch.eye(problem.dimension, dtype=torch.float64)])


def test_products_are_those_of_the_matrices(
    exact_hessian: Exact, exact_gauss_newton: Exact, asam_scale: Callable[[nn.Module, float], Tensor]
) -> None:
    model, (x, y) = mlp(), examples()
    problem = ragged(model)
    h, g, t = exact_hessian(model, x, y), exact_gauss_newton(model, x, y), asam_scale(model, 0.3)
    torch.testing.assert_close(unit_vectors(problem, problem.hessian_times), h, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(unit_vectors(problem, problem.gauss_newton_times), g, rtol=1e-9, atol=1e-12)
    adaptive = unit_vectors(problem, adaptive_hessian(problem, 0.3, "weights").times)
    torch.testing.assert_close(adaptive, t[:, None] * h * t, rtol=1e-9, atol=1e-12)
    assert problem.products == 3 * problem.dimension


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Linear(4, 12)
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.project(x.unsqueeze(1).repeat(1, 5, 1)).chunk(3, -1)
        return self.head(nn.functional.scaled_dot_product_attention(q, k, v).mean(1))


def test_attention_has_a_second_derivative(exact_hessian: Exact) -> None:
    torch.manual_seed(0)
    model, (x, y) = Attention().double(), examples()
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        expected = exact_hessian(model, x, y)
    problem = Problem(model, cross_entropy, [(x, y)], seed=0)
    found = unit_vectors(problem, problem.hessian_times)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


def test_losses_that_have_no_derivative() -> None:
    """Products are zero where the loss is linear in the parameters, or does not depend on them."""
    model, data = nn.Linear(3, 1), [(torch.randn(5, 3), torch.ones(5))]
    for loss in (lambda o, t: o.mean(), lambda o, t: t.mean()):
        problem = Problem(model, loss, data, seed=0)
        assert not problem.hessian_times(torch.ones(4)).any()
        assert not problem.gauss_newton_times(torch.ones(4)).any()
    assert problem.loss_and_gradient[0] == 1.0
    assert not any(bool(part.any()) for part in problem.loss_and_gradient[1])


def test_sharpness_is_along_the_trained_weights_alone() -> None:
    whole, frozen = mlp(), mlp()
    freeze(frozen, ["0.*"], outputs=3)
    full, part = ragged(whole), ragged(frozen)
    assert part.names == ["2.weight", "2.bias"]
    assert part.loss_at() == full.loss_at()
    for one, other in zip(part.loss_and_gradient[1], full.loss_and_gradient[1][2:], strict=True):
        torch.testing.assert_close(one, other)
    vector = torch.randn(part.dimension, dtype=torch.float64)
    padded = torch.cat([torch.zeros(full.dimension - part.dimension, dtype=torch.float64), vector])
    torch.testing.assert_close(part.hessian_times(vector), full.hessian_times(padded)[-part.dimension :])
