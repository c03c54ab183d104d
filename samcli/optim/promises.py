"""The engine's promises, as checks that any variant can be put to: for users' own variants, and for ours."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from samcli.optim import tape
from samcli.optim.base import SGD, Base
from samcli.optim.batch import Batch
from samcli.optim.engine import SharpnessAware
from samcli.optim.replay import Replayed
from samcli.optim.variant import Variant


class Network(nn.Module):
    """Small, with what makes further passes delicate: BatchNorm, dropout, an unused parameter."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(4 * 36, 3)
        self.unused = nn.Linear(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 1, 8, 8) to (B, 3)."""
        output: Tensor = self.head(self.dropout(self.norm(self.conv(x)).relu().flatten(1)))
        return output


@dataclass
class Trial:
    """A fresh network under a variant, with batches to train it on."""

    variant: Variant
    base: Base
    dropout: float = 0.5

    def __post_init__(self) -> None:
        torch.manual_seed(0)
        self.model = Network(self.dropout)
        self.inner: Optimizer = self.base.build(self.model.parameters())
        self.optimizer = SharpnessAware(self.inner, self.variant, model=self.model)

    def batch(self, index: int, scale: float = 1.0) -> Batch:
        """The closure of one of the batches."""
        generator = torch.Generator().manual_seed(index)
        x = torch.randn(16, 1, 8, 8, generator=generator) * scale
        y = torch.randint(3, (16,), generator=generator)
        indices = torch.arange(16) + 16 * (index % 4)
        return Batch(self.model, nn.functional.cross_entropy, x, y, indices=indices)

    def train(self, first: int, last: int) -> None:
        """Steps on some of the batches, each with dropout masks of its own."""
        for index in range(first, last):
            torch.manual_seed(index)
            self.optimizer.progress = index / 20
            self.optimizer.step(self.batch(index))

    def weights(self) -> dict[str, Tensor]:
        """A copy of the parameters."""
        return {name: p.detach().clone() for name, p in self.model.named_parameters()}


def _differing(a: dict[str, Tensor], b: dict[str, Tensor]) -> str:
    return ", ".join(name for name in a if not torch.equal(a[name], b[name]))


def zero_radius_is_the_base(variant: Variant, base: Base) -> str:
    """With ρ = 0 training equals the base optimizer's, bit for bit."""
    trial, plain = Trial(variant, base), Trial(variant, base)
    trial.optimizer.rho_factor = 0.0
    trial.train(0, 5)
    for index in range(5):
        torch.manual_seed(index)
        plain.batch(index)()
        plain.inner.step()
    names = _differing(trial.model.state_dict(), plain.model.state_dict())
    return names and f"different after five steps: {names}"


def weights_come_back(variant: Variant, base: Base) -> str:
    """With learning rate 0 the weights do not move, whatever was perturbed."""
    trial = Trial(variant, base)
    for group in trial.optimizer.param_groups:
        group["lr"] = 0.0
    before = trial.weights()
    trial.train(0, 10)
    names = _differing(before, trial.weights())
    return names and f"moved at learning rate 0: {names}"


def weights_come_back_after_an_error(variant: Variant, base: Base) -> str:
    """When a pass raises an error, the weights stand where they stood before the step."""
    for failing in (1, 2):
        trial = Trial(variant, base)
        trial.train(0, 3)
        before, passes = trial.weights(), 0

        def loss(output: Tensor, targets: Tensor, failing: int = failing) -> Tensor:
            nonlocal passes
            passes += 1
            if passes == failing:
                raise KeyboardInterrupt
            return nn.functional.cross_entropy(output, targets)

        batch = trial.batch(3)
        batch.loss = loss
        try:
            trial.optimizer.step(batch)
        except KeyboardInterrupt:
            names = _differing(before, trial.weights())
            if names:
                return f"an error in pass {failing} left changed: {names}"
    return ""


def statistics_count_once(variant: Variant, base: Base) -> str:
    """BatchNorm's running statistics count each batch once."""
    trial = Trial(variant, base)
    trial.train(0, 4)
    counted = int(trial.model.norm.num_batches_tracked or 0)
    return "" if counted == 4 else f"4 batches were counted as {counted}"


def draws_as_one_pass(variant: Variant, base: Base) -> str:
    """The global random state moves on by the draws of one pass, so that dropout masks are those of any optimizer."""
    trial, plain = Trial(variant, base), Trial(variant, base)
    trial.train(0, 1)
    after = torch.get_rng_state()
    torch.manual_seed(0)
    plain.batch(0)()
    return "" if torch.equal(after, torch.get_rng_state()) else "the step drew from torch's global generator"


def resumes_bit_for_bit(variant: Variant, base: Base) -> str:
    """A run continued from saved states equals an uninterrupted one; the states load with weights_only=True."""
    whole = Trial(variant, base)
    whole.train(0, 7)
    file = io.BytesIO()
    torch.save({"model": whole.model.state_dict(), "optimizer": whole.optimizer.state_dict()}, file)
    file.seek(0)
    try:
        saved = torch.load(file, weights_only=True)
    except Exception as error:  # whatever the unpickler refuses
        return f"its state does not load with weights_only=True: {error}".splitlines()[0]
    resumed = Trial(variant, base)
    resumed.model.load_state_dict(saved["model"])
    resumed.optimizer.load_state_dict(saved["optimizer"])
    whole.train(7, 12)
    resumed.train(7, 12)
    names = _differing(whole.model.state_dict(), resumed.model.state_dict())
    return (
        names and f"different after resuming: {names}; what changes between steps belongs in step.memory or step.state"
    )


def bad_gradient_changes_nothing(variant: Variant, base: Base) -> str:
    """A step whose first gradient is not finite changes no weight and is counted."""
    trial = Trial(variant, base)
    trial.train(0, 3)
    before, state = trial.weights(), copy.deepcopy(trial.inner.state_dict()["state"])
    trial.optimizer.step(trial.batch(3, scale=float("inf")))
    names = _differing(before, trial.weights())
    if names:
        return f"a gradient that is not finite changed: {names}"
    after = trial.inner.state_dict()["state"]
    if any(
        not torch.equal(state[i][k], after[i][k]) for i in state for k in state[i] if isinstance(state[i][k], Tensor)
    ):
        return "a gradient that is not finite changed the base optimizer's state"
    return "" if trial.optimizer.skipped_steps == 1 else "the step was not counted in skipped_steps"


def stays_finite(variant: Variant, base: Base) -> str:
    """Twenty steps on plain data leave all weights finite, and move them."""
    trial = Trial(variant, base)
    before = trial.weights()
    trial.train(0, 20)
    after = trial.weights()
    bad = [name for name, w in after.items() if not bool(torch.isfinite(w).all())]
    if bad:
        return f"not finite after 20 steps: {', '.join(bad)}"
    return "" if not torch.equal(before["head.weight"], after["head.weight"]) else "nothing moved in 20 steps"


def repeats_as_it_says(variant: Variant, base: Base) -> str:
    """Steps that the rule calls alike are alike: one of them, recorded and replayed, has the effect of the next."""
    device, ends = torch.device("cpu"), []
    for recorder in (tape.record, _refuse):
        trial = Trial(variant, base, dropout=0.0)

        def update(x: Tensor, y: Tensor, indices: Tensor, trial: Trial = trial) -> None:
            trial.optimizer.step(Batch(trial.model, nn.functional.cross_entropy, x, y, indices=indices))

        step = Replayed(update, trial.optimizer, device, recorder)
        for index in range(20):
            batch = trial.batch(index)
            assert batch.indices is not None
            trial.optimizer.progress = index / 20
            step(batch.inputs, batch.targets, batch.indices)
        if recorder is tape.record and step.failure:
            return f"a step that it says repeats cannot be recorded: {step.failure}"
        ends.append(trial.model.state_dict())
    names = _differing(*ends)
    return (
        names and f"different when steps are replayed: {names}; leave out repeats, or have kind tell such steps apart"
    )


def _refuse(function: Callable[[], None]) -> tuple[None, Callable[[], None]]:
    raise RuntimeError("every step is to run")


Promise = Callable[[Variant, Base], str]
PROMISES: tuple[Promise, ...] = (
    zero_radius_is_the_base,
    weights_come_back,
    weights_come_back_after_an_error,
    statistics_count_once,
    draws_as_one_pass,
    resumes_bit_for_bit,
    bad_gradient_changes_nothing,
    stays_finite,
    repeats_as_it_says,
)


def broken_promises(variant: Variant, base: Base | None = None) -> dict[str, str]:
    """Put a variant to every promise.

    Args:
        variant: with the options to try it with.
        base: what it stands on; SGD with momentum and weight decay if left out.

    Returns:
        The name of each promise with what was found: empty if it holds.
    """
    base = SGD(lr=0.05, weight_decay=0.01) if base is None else base
    random_state = torch.get_rng_state()
    found = {}
    for promise in PROMISES:
        try:
            found[promise.__name__] = promise(variant, base)
        except Exception as error:  # a user's code may raise anything; the other promises are tried all the same
            found[promise.__name__] = f"raised {type(error).__name__}: {error}"
    torch.set_rng_state(random_state)
    return found


def meaning(promise: str) -> str:
    """The sentence that says what a promise is."""
    (found,) = [p for p in PROMISES if p.__name__ == promise]
    return (found.__doc__ or "").strip()
