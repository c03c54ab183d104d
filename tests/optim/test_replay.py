"""Recorded steps do what the steps that they replace would have done, bit for bit."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from samcli.optim import BASES, VARIANTS, Ascent, Batch, Replayed, SharpnessAware, Step, clip_gradient, take_step
from samcli.optim.replay import MOST_SIGNATURES, WARM_UP, Recorder
from samcli.optim.tape import record

STEPS = 18


def is_replayable(name: str) -> bool:
    """Whether the rule has a signature: it does not decide on the host by a result, draw numbers, or count steps."""
    return VARIANTS.create(name).signature(1, 0, {}) is not None


REPLAYABLE = [name for name in VARIANTS if is_replayable(name)]
RUNS_EACH_STEP = [name for name in VARIANTS if not is_replayable(name)]


def refuse(function: Callable[[], Any]) -> tuple[Any, Callable[[], None]]:
    """A recorder that never can."""
    raise RuntimeError("out of tape")


def network(dropout: float = 0.0) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(dropout), nn.Flatten(), nn.Linear(144, 3)
    )


class Training:
    """Steps on batches of 16, each fifth one of 9, under a falling learning rate."""

    def __init__(self, name: str, base: str, recorder: Recorder, *, dropout: float = 0.0, **ascent: Any) -> None:
        self.model = network(dropout)
        others = VARIANTS.kind(name).base_defaults if name in VARIANTS else {}
        self.optimizer = BASES.create(base, lr=0.05, **others).build(self.model.parameters())
        clip_gradient(self.optimizer, 1.0)
        if name in VARIANTS:
            variant = VARIANTS.create(name)
            self.optimizer = SharpnessAware(self.optimizer, variant, model=self.model, ascent=Ascent(**ascent))
        self.losses = torch.zeros((), dtype=torch.float64)
        self.step = Replayed(self.update, self.optimizer, torch.device("cpu"), recorder)

    def update(self, inputs: Tensor, targets: Tensor, indices: Tensor) -> int:
        batch = Batch(self.model, nn.functional.cross_entropy, inputs, targets, indices=indices)
        self.losses += take_step(self.optimizer, batch)
        return batch.evaluated

    def run(self, steps: int = STEPS, poisoned: int = -1) -> dict[str, Tensor]:
        """All that training changed, after it."""
        evaluated = 0
        for index in range(steps):
            generator = torch.Generator().manual_seed(index)
            size = 9 if index % 5 == 4 else 16
            x = torch.randn(size, 1, 8, 8, generator=generator)
            if index == poisoned:
                x[0] = float("nan")
            y = torch.randint(3, (size,), generator=generator)
            self.optimizer.param_groups[0]["lr"] = 0.05 * (1.0 - index / steps)
            if isinstance(self.optimizer, SharpnessAware):
                self.optimizer.progress = index / steps
            torch.manual_seed(index)
            evaluated += self.step(x, y, torch.arange(size))
        state = self.optimizer.state_dict()
        own = state.get("sharpness_aware", {"steps": 0, "skipped": 0})
        found = {"evaluated": evaluated, "losses": self.losses, **self.model.state_dict()}
        found |= {"steps": own["steps"], "skipped": own["skipped"], "rate": state["param_groups"][0]["lr"]}
        found |= {f"{i} {k}": v for i, kept in state["state"].items() for k, v in kept.items() if v is not None}
        return {key: torch.as_tensor(value).clone() for key, value in found.items()}


def runs_and_replays(name: str, base: str = "sgd", **options: Any) -> tuple[Training, Training]:
    """A training whose steps all run, and one whose steps are replayed where they can be."""
    steps = {key: options.pop(key) for key in tuple(options) if key == "poisoned"}
    run, replayed = Training(name, base, refuse, **options), Training(name, base, record, **options)
    assert differing(run.run(**steps), replayed.run(**steps)) == []
    assert run.step.replays == 0
    assert replayed.step.failure == ""
    return run, replayed


def differing(a: dict[str, Tensor], b: dict[str, Tensor]) -> list[str]:
    assert a.keys() == b.keys()
    return [key for key in a if not torch.allclose(a[key], b[key], rtol=0.0, atol=0.0, equal_nan=True)]


@pytest.mark.parametrize("base", ["sgd", "adamw"])
@pytest.mark.parametrize("name", ["base", *REPLAYABLE])
def test_replayed_steps_change_what_steps_that_run_do(name: str, base: str) -> None:
    _, replayed = runs_and_replays(name, base)
    # of the 14 full batches that have a state before them the first three of each signature run; some rules have two
    alike = name == "base" or VARIANTS.kind(name).repeats
    assert replayed.step.replays >= (14 - WARM_UP if alike else 14 - 2 * WARM_UP)


def test_twenty_rules_are_replayed() -> None:
    assert (len(REPLAYABLE), len(RUNS_EACH_STEP)) == (20, 14)


@pytest.mark.parametrize("name", RUNS_EACH_STEP)
def test_rules_that_need_the_host_run_each_step(name: str) -> None:
    _, replayed = runs_and_replays(name)
    assert replayed.step.replays == 0


@pytest.mark.parametrize("ascent", [{"m": 4}, {"ascent_fraction": 0.25}, {"ascent_weight_decay": True}])
def test_other_ways_to_climb_are_replayed_too(ascent: dict[str, Any]) -> None:
    _, replayed = runs_and_replays("sam", **ascent)
    assert replayed.step.replays == 14 - WARM_UP


@pytest.mark.parametrize("name", ["sam", "looksam", "friendly-sam", "wsam"])
def test_a_replayed_step_skips_a_gradient_that_is_not_finite(name: str) -> None:
    run, replayed = runs_and_replays(name, poisoned=16)
    skipped = [training.optimizer.skipped_steps for training in (run, replayed)]  # type: ignore[union-attr]
    assert skipped == [1, 1]


def test_dropout_is_not_recorded() -> None:
    _, replayed = runs_and_replays("sam", dropout=0.5)
    assert replayed.step.replays == 0


def test_a_radius_that_changes_is_not_recorded() -> None:
    replayed, radii = Training("sam", "sgd", record), iter(range(1, STEPS + 1))
    inner = replayed.step

    def step(*inputs: Tensor) -> int:
        replayed.optimizer.rho_factor = next(radii) / STEPS  # type: ignore[union-attr]
        return inner(*inputs)

    replayed.step = step  # type: ignore[assignment]
    replayed.run()
    assert inner.replays == 0


def test_a_rule_made_from_one_that_repeats_does_not_repeat_by_itself() -> None:
    class Waning(type(VARIANTS.create("sam"))):  # type: ignore[misc]
        def ascend(self, step: Step) -> list[Tensor]:
            return [e / (1 + step.index) for e in super().ascend(step)]

    model = network()
    optimizer = SharpnessAware(BASES.create("sgd").build(model.parameters()), Waning(), model=model)
    optimizer.runs_ahead = True
    take_step(optimizer, Batch(model, nn.functional.cross_entropy, torch.randn(4, 1, 8, 8), torch.arange(4) % 3))
    assert optimizer.signature() is None


@pytest.mark.parametrize("name", ["sam", "looksam", "sam-every", "msam", "vasso"])
def test_a_recording_that_fails_at_its_end_leaves_no_trace(name: str) -> None:
    def fail_late(function: Callable[[], Any]) -> tuple[Any, Callable[[], None]]:
        record(function)
        raise RuntimeError("the tape tore")

    run, failed = Training(name, "sgd", refuse), Training(name, "sgd", fail_late)
    assert differing(run.run(), failed.run()) == []
    assert (failed.step.failure, failed.step.replays) == ("the tape tore", 0)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_calls_that_never_come_again_are_forgotten(dropout: float) -> None:
    training = Training("sam", "sgd", refuse, dropout=dropout)
    training.run(5)
    for index in range(3 * MOST_SIGNATURES):
        training.optimizer.rho_factor = 1.0 + index  # type: ignore[union-attr]
        training.step(torch.ones(2, 1, 8, 8), torch.tensor([0, 1]), torch.arange(2))
    assert len(training.step._calls) <= MOST_SIGNATURES


def test_an_optimizer_that_would_wait_for_its_rate_runs_each_step() -> None:
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), foreach=True)

    def update(x: Tensor) -> None:
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()

    step = Replayed(update, optimizer, torch.device("cpu"), record)
    for _ in range(2 * WARM_UP):
        step(torch.ones(2, 1, 8, 8))
    assert (step.replays, step.failure) == (0, "")


def test_a_step_that_waits_is_not_recorded_and_runs() -> None:
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, fused=True)
    seen = []

    def update(x: Tensor) -> float:
        optimizer.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        optimizer.step()
        seen.append(float(loss.detach()))
        return seen[-1]

    step = Replayed(update, optimizer, torch.device("cpu"), record)
    returned = [step(torch.ones(2, 1, 8, 8)) for _ in range(2 * WARM_UP)]
    assert (step.replays, len(seen)) == (0, 2 * WARM_UP)
    assert "waits" in step.failure
    assert returned == sorted(returned, reverse=True)
    assert len(set(returned)) == len(returned)
