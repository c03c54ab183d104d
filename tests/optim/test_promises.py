"""Every variant keeps every promise over every base; variants made to break one are found out."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import Tensor

from samcli.errors import ConfigError
from samcli.optim import BASES, VARIANTS, Ascent, Step, TwoPass
from samcli.optim.promises import PROMISES, Trial, broken_promises, meaning
from samcli.weights.geometry import steepest_ascent

every_variant = pytest.mark.parametrize("name", list(VARIANTS))


def trial(name: str, base: str = "sgd", ascent: Ascent | None = None) -> Trial:
    """A variant with its defaults over a base with the defaults that go with it; skipped where it objects to that."""
    settings = {"lr": 0.05, "weight_decay": 0.01, **VARIANTS.kind(name).base_defaults}
    chosen = BASES.create(base, **{key: settings[key] for key in BASES.options(base) if key in settings})
    try:
        return Trial(VARIANTS.create(name), chosen, ascent=ascent or Ascent())
    except ConfigError as error:
        if ascent is not None:
            raise
        pytest.skip(str(error))


@pytest.mark.parametrize("base", list(BASES))
@every_variant
def test_every_variant_keeps_every_promise(name: str, base: str) -> None:
    one = trial(name, base)
    found = broken_promises(one.variant, one.base)
    assert {promise: words for promise, words in found.items() if words} == {}
    assert len(found) == len(PROMISES)


def test_every_variant_stands_on_some_base() -> None:
    """So that none is skipped altogether above."""
    for name in VARIANTS:
        assert trial(name, "sgd").objection() == ""


@dataclass(frozen=True, kw_only=True)
class Broken(TwoPass):
    how: str

    def ascend(self, step: Step) -> list[Tensor]:
        if self.how == "draws" or (self.how == "draws later" and step.index > 0):
            torch.rand(1)
        if self.how == "counts" and step.model is not None:
            step.model.norm.num_batches_tracked += 1  # type: ignore[union-attr, operator]
        if self.how == "raises":
            raise ZeroDivisionError("oh")
        if self.how == "state":
            step.state["what"] = object()
        if self.how == "hides":
            return [torch.zeros_like(g) for g in step.gradient]
        if self.how == "drifts":
            torch._foreach_mul_(step.parameters, 1.0 + 1e-6)
        if self.how == "masks" or (self.how == "masks at first" and step.index == 0):
            step.model.dropout.p = 0.2 if step.model.dropout.p == 0.5 else 0.5  # type: ignore[union-attr, assignment]
        if self.how == "scales":
            return [g * step._unscale for g in step.gradient]
        if self.how == "explodes":
            return [torch.full_like(g, float("inf")) for g in step.gradient]
        if self.how == "forgets":
            FORGOTTEN.append(step.index)
            return steepest_ascent(step.gradient, self.rho * len(FORGOTTEN))
        return steepest_ascent(step.gradient, self.rho)

    def descend(self, step: Step) -> list[Tensor]:
        if self.how != "leaves":
            return super().descend(step)
        weights = [p.clone() for p in step.parameters]
        torch._foreach_add_(step.parameters, self.ascend(step))  # by hand, and brought back only if all goes well
        gradient = step.gradient_at([None] * len(weights))
        torch._foreach_copy_(step.parameters, weights)
        return gradient

    def gradient(self, step: Step) -> list[Tensor]:
        if self.how == "costs":
            step.evaluate()
        if self.how == "smooths":
            return [g.nan_to_num() for g in super().gradient(step)]
        if self.how != "ignores":
            return super().gradient(step)
        gradient = [g.nan_to_num() for g in step.evaluate()]
        step.finite = True
        return gradient


FORGOTTEN: list[int] = []


@pytest.mark.parametrize(
    ("how", "promise"),
    [
        ("draws", "draws_as_one_pass"),
        ("draws later", "draws_as_one_pass"),
        ("counts", "statistics_count_once"),
        ("state", "resumes_bit_for_bit"),
        ("forgets", "resumes_bit_for_bit"),
        ("drifts", "weights_come_back"),
        ("leaves", "weights_come_back_after_an_error"),
        ("ignores", "bad_gradient_changes_nothing"),
        ("smooths", "bad_second_gradient_changes_nothing"),
        ("raises", "stays_finite"),
        ("hides", "radius_matters"),
        ("masks", "passes_share_their_draws"),
        ("masks at first", "passes_share_their_draws"),
        ("costs", "costs_as_it_says"),
        ("scales", "takes_a_scaled_loss"),
        ("explodes", "takes_micro_batches"),
        ("explodes", "climbs_the_weight_decay"),
        ("explodes", "takes_pieces_in_bfloat16"),
        ("explodes", "climbs_cheaper"),
    ],
)
def test_a_broken_promise_is_found(how: str, promise: str) -> None:
    found = broken_promises(Broken(how=how))
    assert found[promise]
    assert meaning(promise).endswith(".")


@dataclass(frozen=True, kw_only=True)
class Repeating(TwoPass):
    """Says that its steps repeat, although the host looks at something that changes."""

    repeats: ClassVar[bool] = True
    looks_at: str

    def ascend(self, step: Step) -> list[Tensor]:
        seen = float(step.gradient_norm) if self.looks_at == "norm" else 1.0 + step.index
        return steepest_ascent(step.gradient, self.rho / seen)


@pytest.mark.parametrize(("looks_at", "words"), [("norm", "cannot be recorded"), ("index", "different when")])
def test_a_rule_that_says_wrongly_that_it_repeats_is_found(looks_at: str, words: str) -> None:
    assert words in broken_promises(Repeating(looks_at=looks_at))["repeats_as_it_says"]


@dataclass(frozen=True, kw_only=True)
class Remembering(TwoPass):
    """Says that micro-batches are apart, although it climbs along a mean of their gradients."""

    parts_apart: ClassVar[bool] = True

    def ascend(self, step: Step) -> list[Tensor]:
        mean = step.memory("mean")
        torch._foreach_lerp_(mean, step.gradient, 0.5)
        return steepest_ascent(mean, self.rho)


def test_a_rule_that_says_wrongly_that_micro_batches_are_apart_is_found() -> None:
    found = broken_promises(Remembering())
    assert "leave out parts_apart" in found.pop("micro_batches_stand_apart_as_it_says")
    assert not any(found.values())


def test_a_sound_variant_is_not_accused() -> None:
    assert not any(broken_promises(Broken(how="not at all")).values())


@dataclass(frozen=True, kw_only=True)
class Late(TwoPass):
    """Looks around in few steps, or only towards the end of training."""

    passes: ClassVar[str] = "1 or 2"
    decides_ahead: ClassVar[bool] = True
    when: str

    def perturbs(self, step: Step) -> bool:
        return step.index % 50 == 49 if self.when == "seldom" else (step.progress or 0.0) >= 0.9

    def ascend(self, step: Step) -> list[Tensor]:
        return steepest_ascent(step.gradient, step.rho)


@pytest.mark.parametrize("when", ["seldom", "at the end"])
def test_a_rule_that_looks_around_late_is_not_accused(when: str) -> None:
    assert not any(broken_promises(Late(when=when)).values())


def test_random_state_is_left_alone() -> None:
    before = torch.get_rng_state()
    broken_promises(Broken(how="draws"))
    assert torch.equal(torch.get_rng_state(), before)


@every_variant
def test_what_a_variant_objects_to_is_refused(name: str) -> None:
    one = trial(name)
    if words := one.objection(m=5):
        with pytest.raises(ConfigError) as refused:
            trial(name, ascent=Ascent(m=5))
        assert str(refused.value) == words
    if not one.variant.climbs_first:
        for ascent in (Ascent(ascent_fraction=0.25), Ascent(ascent_precision="bf16")):
            with pytest.raises(ConfigError, match="leave ascent_fraction and ascent_precision out"):
                trial(name, ascent=ascent)


@every_variant
def test_a_fraction_climbs_on_a_fraction(name: str) -> None:
    """12 of 16 examples less in each step that climbs, whatever that costs; none where there is no ascent."""
    if not VARIANTS.kind(name).climbs_first or VARIANTS.kind(name).waits:
        pytest.skip("it descends its first gradient, or decides by it whether to climb")
    cheaper, plain, less = trial(name, ascent=Ascent(ascent_fraction=0.25)), trial(name), set()
    for index in range(6):
        counts = []
        for one in (cheaper, plain):
            torch.manual_seed(index)
            one.optimizer.progress = index / 6
            batch = one.batch(index)
            one.optimizer.step(batch)
            counts.append(batch.evaluated)
        if counts[0] == counts[1]:
            assert counts[0] == 16
        else:
            less.add(counts[1] - counts[0])
    assert less == {12}
    assert not torch.equal(plain.model.head.weight, cheaper.model.head.weight)


# k = 60 periods end with the 60 steps that are counted; other options are such that a rule that ignores them is told
OPTIONS = {
    "sam": {"ascent_steps": 3},
    "rwp": {"alpha": 1.0},
    "frob-sam": {"n": 3},
    "trace-sam": {"n": 2},
    "looksam": {"k": 3},
    "sam-every": {"k": 4},
    "lookbehind": {"k": 2},
    "esam": {"gamma": 0.3},
    "sparse-sam-f": {"k": 5, "samples": 4},
    "ss-sam": {"p": 0.25},
}


@every_variant
def test_as_many_passes_as_the_table_says(name: str) -> None:
    """Exactly so over 60 steps: all periods divide them. A coin's tosses are within four standard deviations."""
    said = [VARIANTS.create(name, **options).passes_per_step(16) for options in ({}, OPTIONS.get(name, {}))]
    if said[0] is None:
        assert name in ("ae-sam", "n-sam")  # which looks at the gradient first; at the whole training set
        pytest.skip("it decides by what it sees")
    for options, passes in zip(({}, OPTIONS.get(name, {})), said, strict=True):
        base = BASES.create("sgd", lr=0.05, momentum=0.9 if name == "msam" else 0.0)
        one, evaluated, steps = Trial(VARIANTS.create(name, **options), base), 0, 60
        one.optimizer.progress = 0.0
        for index in range(steps):
            torch.manual_seed(index)
            batch = one.batch(index)
            one.optimizer.step(batch)
            evaluated += batch.evaluated
        tolerance = {"ss-sam": 4 * 0.5 / steps**0.5, "sparse-sam-f": 0.01}.get(name, 1e-12)  # its default k is 100
        assert evaluated / (16 * steps) == pytest.approx(passes, abs=tolerance)
