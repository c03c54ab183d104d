"""Every variant keeps every promise over every base; variants made to break one are found out."""

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

from samcli.errors import SamcliError
from samcli.optim import BASES, VARIANTS, Ascent, Batch, SharpnessAware, Step, TwoPass
from samcli.optim.promises import PROMISES, Network, broken_promises, meaning
from samcli.weights.geometry import steepest_ascent

# an optimizer of its own, which takes only the learning rate from its base
ALONE = {"bsam": {"sgd": {"momentum": 0.0, "weight_decay": 0.0}}}


@pytest.mark.parametrize("base", list(BASES))
@pytest.mark.parametrize("name", list(VARIANTS))
def test_every_variant_keeps_every_promise(name: str, base: str):
    if base not in ALONE.get(name, BASES):
        pytest.skip(f"{name} is not defined over {base}")
    settings = ALONE[name][base] if name in ALONE else {"weight_decay": 0.01}
    found = broken_promises(VARIANTS.create(name), BASES.create(base, lr=0.05, **settings))
    assert {promise: words for promise, words in found.items() if words} == {}
    assert len(found) == len(PROMISES)


@dataclass(frozen=True, kw_only=True)
class Broken(TwoPass):
    how: str

    def ascend(self, step: Step) -> list[Tensor]:
        if self.how == "draws":
            torch.rand(1)
        if self.how == "counts" and step.model is not None:
            step.model.norm.num_batches_tracked += 1  # type: ignore[union-attr, operator]
        if self.how == "raises":
            raise ZeroDivisionError("oh")
        if self.how == "state":
            step.state["what"] = object()
        if self.how == "drifts":
            torch._foreach_mul_(step.parameters, 1.0 + 1e-6)
        if self.how == "forgets":
            FORGOTTEN.append(step.index)
            return steepest_ascent(step.gradient, self.rho * len(FORGOTTEN))
        return steepest_ascent(step.gradient, self.rho)

    def gradient(self, step: Step) -> list[Tensor]:
        if self.how != "ignores":
            return super().gradient(step)
        step.evaluate()
        step.finite = True
        return step.gradient


FORGOTTEN: list[int] = []


@pytest.mark.parametrize(
    ("how", "promise"),
    [
        ("draws", "draws_as_one_pass"),
        ("counts", "statistics_count_once"),
        ("state", "resumes_bit_for_bit"),
        ("forgets", "resumes_bit_for_bit"),
        ("drifts", "weights_come_back"),
        ("ignores", "bad_gradient_changes_nothing"),
        ("raises", "stays_finite"),
    ],
)
def test_a_broken_promise_is_found(how: str, promise: str):
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
def test_a_rule_that_says_wrongly_that_it_repeats_is_found(looks_at: str, words: str):
    assert words in broken_promises(Repeating(looks_at=looks_at))["repeats_as_it_says"]


def test_a_sound_variant_is_not_accused():
    assert not any(broken_promises(Broken(how="not at all")).values())


def test_random_state_is_left_alone():
    before: Any = torch.get_rng_state()
    broken_promises(Broken(how="draws"))
    assert torch.equal(torch.get_rng_state(), before)


def trial(name: str, **around: Any) -> tuple[torch.nn.Module, SharpnessAware]:
    torch.manual_seed(0)
    model = Network(dropout=0.5)
    settings = ALONE[name]["sgd"] if name in ALONE else {"weight_decay": 0.01}
    base = BASES.create("sgd", lr=0.05, **settings).build(model.parameters())
    return model, SharpnessAware(base, VARIANTS.create(name), model=model, ascent=Ascent(**around))


def batch(model: torch.nn.Module, index: int, **options: Any) -> Batch:
    generator = torch.Generator().manual_seed(index)
    x = torch.randn(16, 1, 8, 8, generator=generator)
    y = torch.randint(3, (16,), generator=generator)
    indices = torch.arange(16) + 16 * (index % 4)
    return Batch(model, torch.nn.functional.cross_entropy, x, y, indices=indices, **options)


@pytest.mark.parametrize("name", list(VARIANTS))
def test_a_scaled_loss_gives_the_same_bits(name: str):
    """A scale that is a power of two rounds nothing; only what overflows may differ, and here nothing does."""
    results = []
    for scaler in (None, torch.amp.GradScaler("cpu", init_scale=1024.0)):
        model, optimizer = trial(name)
        for index in range(6):
            torch.manual_seed(index)
            optimizer.progress = index / 6
            optimizer.step(batch(model, index, scale=scaler.scale if scaler else None), scaler)
        results.append({n: w.clone() for n, w in model.state_dict().items()})
        assert scaler is None or scaler.get_scale() == 1024.0
    for key, value in results[0].items():
        assert torch.equal(value, results[1][key]), key


@pytest.mark.parametrize("name", list(VARIANTS))
@pytest.mark.parametrize("around", [{"m": 5}, {"ascent_weight_decay": True}])
def test_micro_batches_and_ascent_decay_for_all(name: str, around: dict[str, Any]):
    if name == "sampa" and "m" in around:
        with pytest.raises(SamcliError, match="leave m out"):
            trial(name, **around)
        return
    plain, _ = trial(name)
    model, optimizer = trial(name, **around)
    for index in range(4):
        optimizer.progress = index / 4
        optimizer.step(batch(model, index))
    assert all(bool(torch.isfinite(p).all()) for p in model.parameters())
    assert not torch.equal(plain.head.weight, model.head.weight)  # type: ignore[union-attr, arg-type]


NO_ASCENT = {"msam", "async-sam", "saf", "mesa", "trace-sam", "frob-sam", "rwp", "esam", "sampa"}


@pytest.mark.parametrize("cheaper", [{"ascent_fraction": 0.25}, {"ascent_precision": "bf16"}])
@pytest.mark.parametrize("name", list(VARIANTS))
def test_a_cheaper_ascent_for_all_that_have_one(name: str, cheaper: dict[str, Any]):
    if name in NO_ASCENT:
        with pytest.raises(SamcliError, match="leave ascent_fraction and ascent_precision out"):
            trial(name, **cheaper)
        return
    (model, optimizer), (plain_model, plain) = trial(name, **cheaper), trial(name)
    evaluated = []
    for index in range(6):
        counts = []
        for m, o in ((model, optimizer), (plain_model, plain)):
            torch.manual_seed(index)
            o.progress = index / 6
            now = batch(m, index)
            loss = o.step(now)
            counts.append(now.evaluated)
            seen = torch.nn.functional.cross_entropy(now.output.float(), now.output_targets)
            torch.testing.assert_close(loss, seen, rtol=2e-2 if "ascent_precision" in cheaper else 1e-5, atol=1e-6)
        evaluated.append(counts)
    assert not torch.equal(plain_model.head.weight, model.head.weight)  # type: ignore[union-attr, arg-type]
    assert all(bool(torch.isfinite(p).all()) for p in model.parameters())
    if "ascent_fraction" in cheaper and name not in ("ae-sam", "sam-on"):
        # 12 of 16 examples less in each step that climbs, whatever that costs; none where there is no ascent
        assert {less for ours, full in evaluated if (less := full - ours)} == {12}
        assert all(ours == 16 for ours, full in evaluated if full == ours)


@pytest.mark.parametrize("name", list(VARIANTS))
def test_pieces_and_bfloat16_for_all(name: str):
    def autocast() -> torch.autocast:
        return torch.autocast("cpu", torch.bfloat16)

    model, optimizer = trial(name)
    for index in range(4):
        optimizer.progress = index / 4
        optimizer.step(batch(model, index, accumulate=2, precision=autocast))
    assert all(p.dtype == torch.float32 and bool(torch.isfinite(p).all()) for p in model.parameters())
