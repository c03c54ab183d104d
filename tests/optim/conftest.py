"""A small network with everything that makes a second pass delicate: BatchNorm, dropout, an unused parameter."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import samcli.optim
from samcli.optim import BASES, VARIANTS


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.dropout = nn.Dropout(0.5)
        self.head = nn.Linear(4 * 36, 3)
        self.unused = nn.Linear(2, 2)
        self.frozen = nn.Parameter(torch.ones(3), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.dropout(self.norm(self.conv(x)).relu().flatten(1))) * self.frozen


Pair = tuple[Tensor, Tensor]


@pytest.fixture
def make_net() -> Callable[[], Net]:
    def make() -> Net:
        torch.manual_seed(0)
        return Net()

    return make


@pytest.fixture
def batches() -> list[Pair]:
    generator = torch.Generator().manual_seed(7)
    return [
        (torch.randn(16, 1, 8, 8, generator=generator), torch.randint(3, (16,), generator=generator)) for _ in range(20)
    ]


@pytest.fixture
def closure_of() -> Callable[[nn.Module, Pair], Callable[[], Tensor]]:
    """A closure that knows its examples, which some variants need."""

    def make(model: nn.Module, batch: Pair) -> Callable[[], Tensor]:
        return samcli.optim.Batch(model, nn.functional.cross_entropy, *batch, indices=torch.arange(len(batch[1])))

    return make


@dataclass
class Point:
    """One step as a plain twin sees it: all parameters are one vector.

    Attributes:
        w: the weights, (D,).
        t: the step, from 0.
        lr: the learning rate.
        progress: the finished share of training.
        state: a dictionary that outlives the step.
        names: the model's parameter names, and where each lies in the vector.
        momentum: the base optimizer's momentum buffer, (D,), zero before its first step.
        push: what the twin wants added to the weights after the base's step.
        inputs, targets: the batch.
    """

    w: Tensor
    t: int
    lr: float
    progress: float
    state: dict[str, Any]
    names: dict[str, slice]
    model: nn.Module
    momentum: Tensor
    inputs: Tensor
    targets: Tensor
    push: Tensor | None = None
    loss: Tensor = field(default_factory=lambda: torch.tensor(0.0))
    _first: bool = True
    _calls: int = 0

    def grad(self, w: Tensor, examples: Any = slice(None)) -> Tensor:
        """The gradient at w of the batch, or of some of its examples; sets `loss`.

        The first call of a step counts for running statistics and draws dropout masks, later ones repeat these draws.
        """
        if self._first:
            self._start = torch.get_rng_state()
        after, buffers = torch.get_rng_state(), {n: b.clone() for n, b in self.model.named_buffers()}
        torch.set_rng_state(self._start)
        write(self.model, w)
        self.model.zero_grad()
        loss = nn.functional.cross_entropy(self.model(self.inputs[examples]), self.targets[examples])
        loss.backward()
        self.loss = loss.detach()
        if not self._first:
            torch.set_rng_state(after)
            for n, b in self.model.named_buffers():
                b.data.copy_(buffers[n])
        self._first = False
        write(self.model, self.w)
        return torch.cat([
            (torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in trainable(self.model).values()
        ])  # fmt: skip

    def noise(self) -> Tensor:
        """The standard normal numbers that the variant draws at its next call of `Step.noise` in this step."""
        self._calls += 1
        seed = hash((0, self.t, self._calls)) & (2**63 - 1)
        generator = torch.Generator().manual_seed(seed)
        return torch.cat([
            torch.empty_like(p).normal_(generator=generator).flatten() for p in trainable(self.model).values()
        ])  # fmt: skip


def trainable(model: nn.Module) -> dict[str, Tensor]:
    """The parameters that take part; the twins' networks have no unused ones."""
    return {n: p for n, p in model.named_parameters() if p.requires_grad}


def write(model: nn.Module, w: Tensor) -> None:
    start = 0
    for p in trainable(model).values():
        p.data.copy_(w[start : start + p.numel()].view(p.shape))
        start += p.numel()


def read(model: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in trainable(model).values()])


Rule = Callable[[Point], Tensor | None]
BASE_OPTIONS = {"sgd": {"momentum": 0.9}, "adam": {}, "adamw": {}}
STEPS = 20


@pytest.fixture
def check_twin(make_net: Callable[[], Net], batches: list[Pair]) -> Callable[..., None]:
    """Run a variant and a plain twin side by side for 20 steps, and compare every weight and buffer.

    The network has BatchNorm and dropout; all is in double precision, where rounding leaves a relative 1e-12 and 20
    steps amplify that; a tolerance of 1e-9 leaves no room for another rule.
    """

    def check(variant: str, rule: Rule, base: str = "sgd", around: Any = None, **options: Any) -> None:
        models = [make_net().double() for _ in range(2)]
        for model in models:
            del model.unused
            model.conv.bias.requires_grad_(False)  # before BatchNorm its gradient is nothing but rounding
        optimizers = []
        for model in models:
            settings = BASE_OPTIONS[base] | {"lr": 0.02, "weight_decay": 0.01}
            optimizers.append(BASES.create(base, **settings).build(trainable(model).values()))
        sharp = samcli.optim.build(variant, optimizers[0], model=models[0], **(around or {}), **options)
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
            if point.push is not None:
                write(models[1], read(models[1]) + point.push)
            for (name, a), b in zip(models[0].state_dict().items(), models[1].state_dict().values(), strict=True):
                torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9, msg=lambda m, n=name, t=t: f"{n}, step {t}: {m}")

    return check


@pytest.fixture(params=list(VARIANTS))
def variant(request: pytest.FixtureRequest) -> str:
    """Every variant there is."""
    return str(request.param)


@pytest.fixture
def trained(make_net: Callable[[], Net], batches: list[Pair], closure_of: Any) -> Callable[..., Tensor]:
    """The weights after six steps with a variant, in double precision."""

    def train(variant: str, base: str = "sgd", around: Any = None, **options: Any) -> Tensor:
        model = make_net().double()
        built = BASES.create(base, lr=0.05, weight_decay=0.01).build(trainable(model).values())
        optimizer = samcli.optim.build(variant, built, model=model, **(around or {}), **options)
        torch.manual_seed(3)
        for x, y in batches[:6]:
            optimizer.step(closure_of(model, (x.double(), y)))
        return read(model)

    return train


@pytest.fixture
def looks(make_net: Callable[[], Net], batches: list[Pair]) -> Callable[..., list[list[Tensor]]]:
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
def check_resume(make_net: Callable[[], Net], batches: list[Pair], closure_of: Any) -> Callable[..., None]:
    """A run that was saved and loaded after each number of steps ends as the uninterrupted one, bit for bit."""

    def check(variant: str, steps: int = 6, **options: Any) -> None:
        def build(model: nn.Module) -> Any:
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
