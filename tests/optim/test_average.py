"""Averages of the weights, against sums written out and against torch's own update."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, get_swa_multi_avg_fn
from twins import ClosureOf, MakeNet, Pairs

import samcli.optim
from samcli.errors import ConfigError, OptionError
from samcli.optim import Averaging, OptimizerSettings, WeightAverage
from samcli.weights.frozen import freeze

EMA: dict[str, Any] = {"average": "ema", "average_decay": 0.9}
SWA: dict[str, Any] = {"average": "swa", "average_from": 0.0}


def weights_along_sam(model: nn.Module, batches: Pairs, closure_of: ClosureOf, average: WeightAverage) -> list[Tensor]:
    """The weights after each of 20 steps in double precision, each of which is told to the average."""
    base = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    optimizer = samcli.optim.build("sam", base, model=model, rho=0.1)
    found = []
    for number, (x, y) in enumerate(batches, 1):
        optimizer.step(closure_of(model, (x.double(), y)))
        average.update(model, number)
        found.append(flat(model))
    return found


def flat(model: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()]).clone()


@pytest.mark.parametrize(("decay", "every", "begins"), [(0.9, None, None), (0.5, 1, 0.25), (0.99, 3, None)])
def test_ema_is_the_recursion_written_out(
    decay: float, every: int | None, begins: float | None, make_net: MakeNet, batches: Pairs, closure_of: ClosureOf
) -> None:
    """Double precision and 20 steps, after which sums in another order are 1e-15 apart."""
    model = make_net().double()
    options = Averaging(average="ema", average_decay=decay, average_every=every, average_from=begins)
    average = WeightAverage(model, options, steps_per_epoch=10, epochs=2)
    along = weights_along_sam(model, batches, closure_of, average)
    taken = [w for step, w in enumerate(along, 1) if step > 20 * (begins or 0.0) and step % (every or 1) == 0]
    expected = taken[0]
    for t, weights in enumerate(taken[1:], 1):
        share = min(decay, (1 + t) / (10 + t))
        expected = share * expected + (1 - share) * weights
    assert average.networks == len(taken) > 5
    torch.testing.assert_close(flat(average.network), expected, rtol=1e-12, atol=1e-12)
    assert not torch.allclose(expected, along[-1], rtol=1e-3)


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ({}, (20,)),
        ({"average_from": 0.0}, (5, 10, 15, 20)),
        ({"average_from": 0.3}, (10, 15, 20)),
        ({"average_from": 0.5, "average_every": 3}, (12, 15, 18)),
        ({"average_from": 0.5, "average_every": 1}, tuple(range(11, 21))),
    ],
)
def test_swa_is_the_mean_of_the_networks_taken(
    options: dict[str, Any], steps: tuple[int, ...], make_net: MakeNet, batches: Pairs, closure_of: ClosureOf
) -> None:
    averaging = Averaging(average="swa", **options)
    assert tuple(step for step in range(1, 21) if averaging.takes(step, 5, 4)) == steps
    if len(steps) == 1:
        with pytest.raises(ConfigError, match="1 network to average in 4 epochs of 5 steps; begin earlier"):
            averaging.check(5, 4)
        return
    model = make_net().double()
    average = WeightAverage(model, averaging, steps_per_epoch=5, epochs=4)
    along = weights_along_sam(model, batches, closure_of, average)
    mean = torch.stack([along[step - 1] for step in steps]).mean(0)
    torch.testing.assert_close(flat(average.network), mean, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("options", [EMA, SWA])
def test_it_is_torchs_own_update(options: dict[str, Any], make_net: MakeNet) -> None:
    """Bit for bit, buffers included; ours differs in never asking a device for the count."""
    model, averaging = make_net(), Averaging(**options, average_every=1)
    average = WeightAverage(model, averaging, steps_per_epoch=9, epochs=1)
    twin = AveragedModel(model)
    for step in range(1, 10):
        for tensor in (*model.parameters(), *model.buffers()):
            if tensor.is_floating_point():
                tensor.data.normal_()
        twin.multi_avg_fn = (
            get_ema_multi_avg_fn(averaging.decay(step - 1)) if options is EMA else get_swa_multi_avg_fn()  # type: ignore[no-untyped-call]
        )
        twin.update_parameters(model)
        average.update(model, step)
        # of the equal average torch computes the share in single precision, whatever the weights are in
        close = dict.fromkeys(("rtol", "atol"), 0.0 if options is EMA else 1e-6)
        for a, b in zip(average.network.state_dict().values(), twin.module.state_dict().values(), strict=True):
            torch.testing.assert_close(a, b, **close)
    assert average.networks == int(twin.n_averaged) == 9


def test_without_decay_it_is_the_model(make_net: MakeNet) -> None:
    model = make_net()
    average = WeightAverage(model, Averaging(average="ema", average_decay=0.0), steps_per_epoch=4, epochs=1)
    for step in range(1, 5):
        for parameter in model.parameters():
            parameter.data.normal_()
        average.update(model, step)
        assert torch.equal(flat(average.network), flat(model))


def test_tied_frozen_and_complex_parameters() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.head = nn.Linear(3, 3), nn.Linear(3, 3)
            self.head.weight = self.first.weight
            self.phase = nn.Parameter(torch.randn(2, dtype=torch.complex64))
            self.scale = nn.Parameter(torch.randn(2, dtype=torch.float64))

    model = Odd()
    freeze(model, ["head.bias"], outputs=3)
    kept = model.head.bias.detach().clone()
    average = WeightAverage(model, Averaging(**SWA, average_every=1), steps_per_epoch=2, epochs=1)
    values = []
    for step in (1, 2):
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.data = torch.randn_like(parameter)
        values.append(copy.deepcopy(model))
        average.update(model, step)
    found: Any = average.network
    assert found.head.weight is found.first.weight
    assert torch.equal(found.head.bias, kept)
    assert not found.head.bias.requires_grad
    for name in ("first.weight", "phase", "scale"):
        mean = sum(one.get_parameter(name) for one in values) / 2
        torch.testing.assert_close(found.get_parameter(name), mean)
        assert found.get_parameter(name).dtype == mean.dtype


def test_statistics_are_recomputed_and_no_draw_is_disturbed(make_net: MakeNet, batches: Pairs) -> None:
    """Of the first layer they are sums over the batches; dropout is on, and its masks are a function of the seed."""
    model = make_net()
    average = WeightAverage(model, Averaging(**SWA, average_every=1), steps_per_epoch=2, epochs=1)
    for step in (1, 2):
        model.conv.weight.data.normal_()
        average.update(model, step)
    net: Any = average.network
    torch.manual_seed(5)
    before = torch.get_rng_state()
    assert average.recalibrate(batches[:4], seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    assert not any(module.training for module in net.modules())
    with torch.no_grad():
        seen = net.conv(torch.cat([x for x, _ in batches[:4]]))
    torch.testing.assert_close(net.norm.running_mean, seen.mean((0, 2, 3)))
    first = copy.deepcopy(net.state_dict())
    average.recalibrate(batches[:4], seed=1)
    assert all(torch.equal(first[name], tensor) for name, tensor in net.state_dict().items())


def test_without_batch_norm_nothing_is_passed() -> None:
    def never() -> Any:
        raise AssertionError("no batch is needed")
        yield

    average = WeightAverage(nn.Linear(2, 2), Averaging(**EMA), steps_per_epoch=2, epochs=1)
    assert average.recalibrate(never(), seed=0) is False


def test_an_average_of_another_step_is_refused() -> None:
    model = nn.Linear(2, 2)
    average = WeightAverage(model, Averaging(**EMA), steps_per_epoch=4, epochs=2)
    average.restore(model.state_dict(), networks=3, step=3)
    assert average.networks == 3
    with pytest.raises(ValueError, match="the average is of 2 networks, not 3"):
        average.restore(model.state_dict(), networks=2, step=3)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"average_decay": 0.9}, "average_decay has no effect without an average; set average: ema, or leave it out."),
        ({"average_from": 0.5}, "average_from has no effect without an average; set average: ema or swa"),
        ({"average_every": 2}, "average_every has no effect without an average"),
        (
            {"average": "swa", "average_decay": 0.9},
            "average_decay has no effect on swa, a plain mean; set average: ema",
        ),
        ({"average": "polyak"}, "average must be one of null, ema, swa, not 'polyak'"),
        ({"average": "ema", "average_decay": 1.0}, "average_decay must be a number or null at least 0 and below 1"),
        ({"average": "swa", "average_from": 1.0}, "average_from must be a number or null at least 0 and below 1"),
        ({"average": "swa", "average_every": 0}, "average_every must be a whole number or null at least 1"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises((ConfigError, OptionError)) as error:
        Averaging(**options)
    assert sentence in str(error.value)


def test_every_optimizer_takes_it_and_it_costs_no_pass() -> None:
    sgd = {"name": "sgd", "lr": 0.1, "momentum": 0.9, "nesterov": False, "weight_decay": 0.0}
    for block in (sgd, {**sgd, "name": "sam", "base": "sgd", "rho": 0.1, "norm": 2.0, "ascent_steps": 1}):
        plain, averaged = OptimizerSettings.of(block), OptimizerSettings.of({**block, **EMA})
        assert averaged.averaging == Averaging(**EMA)
        assert averaged.passes_per_step(32, 10) == plain.passes_per_step(32, 10)
        assert plain.average_of(nn.Linear(1, 1), 5, 5) is None
        with pytest.raises(ConfigError, match="0 networks to average in 1 epoch of 5 steps"):
            OptimizerSettings.of({**block, **SWA, "average_every": 6}).average_of(nn.Linear(1, 1), 5, 1)
