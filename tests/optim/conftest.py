"""What the tests of rules share: batches, twins side by side, where a rule looks, runs that are resumed."""

import io
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from twins import (
    CheckResume,
    CheckTwin,
    ClosureOf,
    Looks,
    MakeNet,
    Net,
    Pair,
    Pairs,
    Point,
    Rule,
    Trained,
    read,
    trainable,
    write,
)  # fmt: skip

import samcli.optim
from samcli.optim import BASES


@pytest.fixture
def make_net() -> MakeNet:
    def make() -> Net:
        torch.manual_seed(0)
        return Net()

    return make


@pytest.fixture
def batches() -> Pairs:
    generator = torch.Generator().manual_seed(7)
    return [
        (torch.randn(16, 1, 8, 8, generator=generator), torch.randint(3, (16,), generator=generator)) for _ in range(20)
    ]


@pytest.fixture
def closure_of() -> ClosureOf:
    """A closure that knows its examples, which some variants need."""

    def make(model: nn.Module, batch: Pair) -> samcli.optim.Batch:
        return samcli.optim.Batch(model, nn.functional.cross_entropy, *batch, indices=torch.arange(len(batch[1])))

    return make


BASE_OPTIONS = {"sgd": {"momentum": 0.9}, "adam": {}, "adamw": {}}
STEPS = 20


@pytest.fixture
def check_twin(make_net: MakeNet, batches: Pairs) -> CheckTwin:
    """Run a variant and a plain twin side by side for 20 steps, and compare every weight and buffer.

    The network has BatchNorm and dropout; all is in double precision, where rounding leaves a relative 1e-12 and 20
    steps amplify that; a tolerance of 1e-9 leaves no room for another rule.
    """

    def check(
        variant: str, rule: Rule, base: str = "sgd", ascent: dict[str, Any] | None = None, **options: Any
    ) -> None:
        models = [make_net().double() for _ in range(2)]
        for model in models:
            del model.unused
            model.conv.bias.requires_grad_(False)  # before BatchNorm its gradient is nothing but rounding
        optimizers = []
        for model in models:
            settings = BASE_OPTIONS[base] | {"lr": 0.02, "weight_decay": 0.01}
            optimizers.append(BASES.create(base, **settings).build(trainable(model).values()))
        sharp = samcli.optim.build(variant, optimizers[0], model=models[0], **(ascent or {}), **options)
        names, start = {}, 0
        for n, p in trainable(models[1]).items():
            names[n] = slice(start, start + p.numel())
            start += p.numel()
        state: dict[str, Any] = {}
        for t in range(STEPS):
            x, y = batches[t][0].double(), batches[t][1]
            sharp.progress = t / STEPS
            torch.manual_seed(t)
            indices = torch.arange(16) + 16 * (t % 4)
            sharp.step(samcli.optim.Batch(models[0], nn.functional.cross_entropy, x, y, indices=indices))
            torch.manual_seed(t)
            key = "momentum_buffer" if base == "sgd" else "exp_avg"
            held = [optimizers[1].state[p].get(key) for p in trainable(models[1]).values()]
            momentum = [torch.zeros_like(p) if m is None else m for m, p in zip(held, trainable(models[1]).values())]  # noqa: B905
            point = Point(
                read(models[1]), t, 0.02, t / STEPS, state, names, models[1],
                torch.cat([m.flatten() for m in momentum]), x, y,
            )  # fmt: skip
            gradient = rule(point)
            if gradient is not None:
                start = 0
                for p in trainable(models[1]).values():
                    p.grad = gradient[start : start + p.numel()].view(p.shape).clone()
                    start += p.numel()
                optimizers[1].step()
            if point.displacement is not None:
                write(models[1], read(models[1]) + point.displacement)
            for (name, a), b in zip(models[0].state_dict().items(), models[1].state_dict().values(), strict=True):
                torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9, msg=lambda m, n=name, t=t: f"{n}, step {t}: {m}")

    return check


@pytest.fixture
def trained(make_net: MakeNet, batches: Pairs, closure_of: ClosureOf) -> Trained:
    """The weights after six steps with a variant, in double precision."""

    def train(variant: str, base: str = "sgd", ascent: dict[str, Any] | None = None, **options: Any) -> Tensor:
        model = make_net().double()
        built = BASES.create(base, lr=0.05, weight_decay=0.01).build(trainable(model).values())
        optimizer = samcli.optim.build(variant, built, model=model, **(ascent or {}), **options)
        torch.manual_seed(3)
        for x, y in batches[:6]:
            optimizer.step(closure_of(model, (x.double(), y)))
        return read(model)

    return train


@pytest.fixture
def looks(make_net: MakeNet, batches: Pairs) -> Looks:
    """Where a variant looks: for each step, for each of its passes, the weights of the pass less those of the step."""

    def look(variant: str, steps: int = 1, scale: float = 1.0, **options: Any) -> list[list[Tensor]]:
        model = make_net().double()
        base = torch.optim.SGD(trainable(model).values(), lr=0.05)
        optimizer = samcli.optim.build(variant, base, model=model, **options)
        points: list[list[Tensor]] = []
        model.register_forward_pre_hook(lambda module, args: points[-1].append(read(module) - weights))
        torch.manual_seed(3)
        for x, y in batches[:steps]:
            weights = read(model)
            points.append([])
            optimizer.step(samcli.optim.Batch(model, lambda o, t: scale * nn.functional.cross_entropy(o, t),
                                              x.double(), y))  # fmt: skip
        return points

    return look


@pytest.fixture
def check_resume(make_net: MakeNet, batches: Pairs, closure_of: ClosureOf) -> CheckResume:
    """A run that was saved and loaded after each number of steps ends as the uninterrupted one, bit for bit."""

    def check(variant: str, steps: int = 6, **options: Any) -> None:
        def build(model: nn.Module) -> samcli.optim.SharpnessAware:
            base = torch.optim.SGD(trainable(model).values(), lr=0.05, momentum=0.9)
            return samcli.optim.build(variant, base, model=model, **options)

        results = []
        for stop in (None, *range(1, steps)):
            model = make_net()
            optimizer = build(model)
            torch.manual_seed(3)
            for index, batch in enumerate(batches[:steps]):
                if index == stop:
                    file = io.BytesIO()
                    torch.save([model.state_dict(), optimizer.state_dict()], file)
                    file.seek(0)
                    weights, state = torch.load(file, weights_only=True)
                    model = make_net()  # seeds the random draws
                    torch.manual_seed(100 + index)
                    model.load_state_dict(weights)
                    optimizer = build(model)
                    optimizer.load_state_dict(state)
                else:
                    torch.manual_seed(100 + index)
                optimizer.progress = index / steps
                optimizer.step(closure_of(model, batch))
            results.append(read(model))
        for resumed in results[1:]:
            assert torch.equal(resumed, results[0])

    return check
