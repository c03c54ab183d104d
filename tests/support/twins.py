"""Small networks and plain twins that rules are checked against, and the types of the fixtures that do so."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from samcli.optim import Batch, SharpnessAware

Pair = tuple[Tensor, Tensor]  # inputs and targets of a batch
Pairs = list[Pair]


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


MakeNet = Callable[[], Net]
ClosureOf = Callable[[nn.Module, Pair], Batch]


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
        displacement: what the twin wants added to the weights after the base's step.
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
    displacement: Tensor | None = None
    loss: Tensor = field(default_factory=lambda: torch.tensor(0.0))
    _first: bool = True
    _calls: int = 0

    def grad(self, w: Tensor, examples: Tensor | slice = slice(None)) -> Tensor:
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


class CheckTwin(Protocol):
    """Runs a variant and a plain twin side by side, and compares them."""

    def __call__(
        self, variant: str, rule: Rule, base: str = "sgd", ascent: dict[str, Any] | None = None, **options: Any
    ) -> None: ...


class Trained(Protocol):
    """The weights after six steps with a variant, in double precision."""

    def __call__(
        self, variant: str, base: str = "sgd", ascent: dict[str, Any] | None = None, **options: Any
    ) -> Tensor: ...


class Looks(Protocol):
    """For each step, for each of its passes, the weights of the pass less those of the step."""

    def __call__(self, variant: str, steps: int = 1, scale: float = 1.0, **options: Any) -> list[list[Tensor]]: ...


class CheckResume(Protocol):
    """Compares runs that were saved and loaded after each number of steps with the uninterrupted one."""

    def __call__(self, variant: str, steps: int = 6, **options: Any) -> None: ...


def plain_net() -> nn.Module:
    """A network without BatchNorm and dropout, which other packages leave to their users."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.Tanh(), nn.Linear(16, 3))


class TwoSteps(Protocol):
    """The optimizer of a package whose user makes the passes."""

    def first_step(self, zero_grad: bool) -> None: ...

    def second_step(self, zero_grad: bool) -> None: ...


def check_against_package(
    batches: Pairs,
    closure_of: ClosureOf,
    ours: Callable[[nn.Module], SharpnessAware],
    theirs: Callable[[nn.Module], TwoSteps],
) -> nn.Module:
    """Train with our optimizer and with that of a package: in fp32 over 20 steps the weights agree. Returns ours."""
    models = [plain_net(), plain_net()]
    optimizer, package = ours(models[0]), theirs(models[1])
    for batch in batches:
        optimizer.step(closure_of(models[0], batch))
        closure = closure_of(models[1], batch)
        closure()
        package.first_step(zero_grad=True)
        closure()
        package.second_step(zero_grad=True)
    for a, b in zip(models[0].parameters(), models[1].parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)
    return models[0]


def largest(scores: Tensor, count: int) -> Tensor:
    """1 where the largest scores are, of equal ones the first; 0 elsewhere."""
    mask = torch.zeros_like(scores)
    mask[scores.argsort(descending=True, stable=True)[:count]] = 1.0
    return mask
