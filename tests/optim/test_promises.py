"""Every variant keeps every promise over every base; variants made to break one are found out."""

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from samcli.optim import BASES, VARIANTS, Step, Variant
from samcli.optim.geometry import steepest_ascent
from samcli.optim.promises import PROMISES, broken_promises, meaning

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
class Broken(Variant):
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


def test_a_sound_variant_is_not_accused():
    assert not any(broken_promises(Broken(how="not at all")).values())


def test_random_state_is_left_alone():
    before: Any = torch.get_rng_state()
    broken_promises(Broken(how="draws"))
    assert torch.equal(torch.get_rng_state(), before)
