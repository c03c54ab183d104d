"""Slices and lines against closed forms and a plain twin, and what they leave behind."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from samcli.sharpness import Problem, loss_line, loss_slice
from samcli.sharpness.landscape import Directions

mse, cross_entropy = nn.functional.mse_loss, nn.functional.cross_entropy
Batches = list[tuple[Tensor, Tensor]]


def linear(bias: bool = False) -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(3, 2, bias=bias, dtype=torch.float64)


def points(model: nn.Module) -> list[tuple[Tensor, Tensor]]:
    """Ragged batches for a model of three inputs and two outputs."""
    generator = torch.Generator().manual_seed(1)
    dtype = next(model.parameters()).dtype
    return [(torch.randn(n, 3, generator=generator, dtype=dtype), torch.ones(n, 2, dtype=dtype)) for n in (5, 2)]


def normed(seed: int = 0) -> nn.Sequential:
    """Has filters, biases, a normalisation layer, and a filter that is zero."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3))
    model(torch.randn(8, 1, 4, 4))  # running statistics of its own
    with torch.no_grad():
        model[0].weight[2] = 0.0
    return model


def images() -> list[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(2)
    return [(torch.randn(6, 1, 4, 4, generator=generator), torch.randint(3, (6,), generator=generator))]


def directions_of(model: nn.Module, data: Batches, **how: Any) -> list[Tensor]:
    """The d of a slice, seen from inside the loss: the parameters at α = 1 less those at α = 0."""
    seen: list[list[Tensor]] = []

    def loss(output: Tensor, target: Tensor) -> Tensor:
        seen.append([p.detach().clone() for p in model.parameters()])
        return output.sum() * 0.0

    loss_slice(model, loss, data, points=3, span=1.0, **how)
    _, middle, last = seen
    assert all(torch.equal(a, b) for a, b in zip(middle, model.parameters(), strict=True))
    return [a - b for a, b in zip(last, middle, strict=True)]


def test_plane_is_that_of_the_formula() -> None:
    """Against the quadratic itself, with directions normalised filter by filter in a plain loop."""
    model, seed = linear(), 7
    data = points(model)
    problem, directions = Problem(model, mse, data, seed), []
    w = model.weight.detach()
    for number in (0, 1):
        d = torch.randn(2, 3, generator=problem.generator(f"landscape {number}"), dtype=torch.float64)
        for row in range(2):
            d[row] *= math.sqrt(sum(float(v) ** 2 for v in w[row])) / math.sqrt(sum(float(v) ** 2 for v in d[row]))
        directions.append(d)
    x, y = (torch.cat(column) for column in zip(*data, strict=True))
    found = loss_slice(model, mse, data, dimensions=2, span=0.5, points=5, seed=seed)
    assert found.axes == ((-0.5, -0.25, 0.0, 0.25, 0.5),) * 2
    assert found.examples == 7
    for i, alpha in enumerate(found.axes[0]):
        for j, beta in enumerate(found.axes[1]):
            there = w + alpha * directions[0] + beta * directions[1]
            # fp64; sums in another order
            assert found.losses[i, j] == pytest.approx(float((x @ there.T - y).square().mean()), rel=1e-12)
    line = loss_slice(model, mse, data, span=0.5, points=5, seed=seed)
    assert torch.equal(line.losses, found.losses[:, 2])  # the first direction is the same


def test_filters_of_the_direction_have_the_norms_of_the_weights() -> None:
    model = normed()
    for weight, d in zip(model.parameters(), directions_of(model, images()), strict=True):
        if weight.dim() == 1:
            assert not d.any()
        else:
            norms = [part.detach().flatten(1).norm(dim=1) for part in (d, weight)]
            # d is seen as a difference of fp32 numbers of the size of w
            torch.testing.assert_close(*norms, rtol=1e-5, atol=0.0)
    assert not directions_of(model, images())[0][2].any()  # the filter that is zero


def test_rescaling_a_filter_rescales_its_direction() -> None:
    model = normed()
    before = directions_of(model, images())[0]
    with torch.no_grad():
        model[0].weight[1] *= 4.0
    after = directions_of(model, images())[0]
    torch.testing.assert_close(after[1], 4.0 * before[1], rtol=1e-5, atol=1e-6)  # a difference of fp32 numbers
    assert torch.equal(after[0], before[0])


def test_rescaled_relu_layers_have_the_same_picture() -> None:
    """Factors that are powers of two are exact."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 8, bias=False), nn.ReLU(), nn.Linear(8, 2, bias=False))
    before = loss_slice(model, mse, points(model), dimensions=2, points=5)
    with torch.no_grad():
        model[0].weight *= 8.0
        model[2].weight /= 8.0
    assert torch.equal(loss_slice(model, mse, points(model), dimensions=2, points=5).losses, before.losses)


def test_seed_decides() -> None:
    model = normed()
    before = torch.get_rng_state()
    first, again, other = (loss_slice(model, cross_entropy, images(), points=5, seed=seed) for seed in (3, 3, 4))
    assert torch.equal(first.losses, again.losses)
    assert not torch.equal(first.losses, other.losses)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("directions", ["random", "leading"])
def test_model_comes_back_bit_for_bit(directions: Directions) -> None:
    """Also when the loss raises half-way, as it does on a full device."""
    for fails_after in (math.inf, 5):
        model, calls = normed().train(), 0
        state = {name: entry.clone() for name, entry in model.state_dict().items()}

        def loss(output: Tensor, target: Tensor, limit: float = fails_after) -> Tensor:
            nonlocal calls
            calls += 1
            if calls > limit:
                raise RuntimeError("out of memory")
            return cross_entropy(output, target)

        def draw(model: nn.Module = model, loss: Callable[[Tensor, Tensor], Tensor] = loss) -> None:
            loss_slice(model, loss, images(), points=7, directions=directions)

        if fails_after < math.inf:
            with pytest.raises(RuntimeError, match="out of memory"):
                draw()
        else:
            draw()
            assert calls >= 7
        assert all(torch.equal(entry, state[name]) for name, entry in model.state_dict().items())
        assert all(module.training for module in model.modules())
        assert all(parameter.grad is None for parameter in model.parameters())


def test_leading_direction_has_the_largest_curvature() -> None:
    """The loss is its own second-order expansion, with the eigenvalues of 2 XᵀX / (2 n) by a dense solver."""
    model = linear(bias=True)
    data = points(model)
    x = torch.cat([inputs for inputs, _ in data])
    ones = torch.cat([x, torch.ones(len(x), 1)], dim=1)
    exact = torch.linalg.eigvalsh(ones.T @ ones / len(x))[-1]  # twice, for each of the two outputs
    found = loss_slice(model, mse, data, directions="leading", dimensions=2, span=2.0, points=3)
    assert found.converged
    for losses in (found.losses[:, 1], found.losses[1]):
        low, middle, high = losses.tolist()
        assert high >= low  # uphill
        # second difference over h² = 4; eigenvectors to a residual of 1e-3 give the eigenvalue to its square
        assert (low + high - 2 * middle) / 4 == pytest.approx(float(exact), rel=1e-5)


def test_line_between_quadratics() -> None:
    model, other = linear(), linear()
    with torch.no_grad():
        other.weight.copy_(torch.arange(6.0).reshape(2, 3))
    w0, w1 = model.weight.detach().clone(), other.weight.detach()
    found = loss_line(model, other.state_dict(), mse, points(model), points=9)
    x, y = (torch.cat(column) for column in zip(*points(model), strict=True))
    assert found.axes == ((-0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5),)
    for t, loss in zip(found.axes[0], found.losses.tolist(), strict=True):
        there = w0 + t * (w1 - w0)
        assert loss == pytest.approx(float((x @ there.T - y).square().mean()), rel=1e-12)  # fp64
    assert torch.equal(model.weight, w0)


def test_ends_of_a_line_are_the_two_networks() -> None:
    """Bit for bit, running statistics included; in the middle these are the mean of both."""
    model, other = normed(0).train(), normed(1).train()
    state = {name: entry.clone() for name, entry in model.state_dict().items()}
    found = loss_line(model, other.state_dict(), cross_entropy, images(), points=41)
    assert [found.axes[0][i] for i in (0, 10, 20, 30, 40)] == [-0.5, 0.0, 0.5, 1.0, 1.5]
    assert all(torch.equal(entry, state[name]) for name, entry in model.state_dict().items())
    middle = normed(0)
    pairs = zip(state.items(), other.state_dict().values(), strict=True)
    middle.load_state_dict({name: (a + b) / 2 if a.is_floating_point() else a for (name, a), b in pairs})
    (x, y), *_ = images()
    with torch.no_grad():
        first, last, half = (float(cross_entropy(network.eval()(x), y)) for network in (model, other, middle))
    assert (found.losses[10], found.losses[30]) == (first, last)
    assert found.losses[20] == pytest.approx(half, rel=1e-5)  # fp32


def test_tells_how_far_it_is() -> None:
    told: list[tuple[int, int]] = []
    loss_slice(linear(), mse, points(linear()), dimensions=2, points=2, tell=lambda *at: told.append(at))
    loss_line(linear(), linear().state_dict(), mse, points(linear()), points=2, tell=lambda *at: told.append(at))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4), (1, 2), (2, 2)]


def test_mistakes() -> None:
    model = linear()
    data = points(model)
    with pytest.raises(ValueError, match="not 3 random"):
        loss_slice(model, mse, data, dimensions=3)
    with pytest.raises(ValueError, match="not 1 sharp"):
        loss_slice(model, mse, data, directions="sharp")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least 2 points, not 1"):
        loss_slice(model, mse, data, points=1)
    with pytest.raises(ValueError, match="choose leading directions"):
        loss_slice(nn.BatchNorm1d(3), lambda output, target: output.mean(), data)
    with pytest.raises(ValueError, match="choose random directions"):
        loss_slice(nn.Linear(1, 1, bias=False), mse, [(torch.ones(1, 1),) * 2], directions="leading", dimensions=2)
    with pytest.raises(ValueError, match="differ: weight is 2x3 and 4x3"):
        loss_line(model, {"weight": torch.ones(4, 3)}, mse, data)
    with pytest.raises(ValueError, match="only one of them has bias"):
        loss_line(model, linear(bias=True).state_dict(), mse, data)


def test_beyond_an_end_running_statistics_stay_what_they_are_there() -> None:
    """A variance that falls from 1 to 0.1 would be negative from t = 1.2 on."""
    first, last = (nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 2)) for _ in range(2))
    last[0].running_var.fill_(0.1)
    data = [(torch.randn(8, 3), torch.randn(8, 2))]
    found = loss_line(first, last.state_dict(), mse, data, points=5)
    weights = {name: torch.lerp(p, last.state_dict()[name], 1.5) for name, p in first.named_parameters()}
    beyond = torch.func.functional_call(last.eval(), weights, (data[0][0],))
    assert found.losses[-1].item() == pytest.approx(mse(beyond, data[0][1]).item(), rel=1e-5)
