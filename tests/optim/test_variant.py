"""What a rule is made of: when a `TwoPass` has its second pass, which steps are alike, and what has to be defined."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn
from twins import plain_net

from samcli.errors import ConfigError
from samcli.optim import VARIANTS, Ascent, Batch, SharpnessAware, Step, TwoPass, Variant
from samcli.registry import Registry


@dataclass(frozen=True, kw_only=True)
class Sometimes(TwoPass):
    """Looks around at every second step."""

    def ascend(self, step: Step) -> list[Tensor]:
        return [step.rho * g for g in step.gradient]

    def perturbs(self, step: Step) -> bool:
        return step.index % 2 == 1


@dataclass(frozen=True, kw_only=True)
class SometimesAhead(Sometimes):
    """The same, decided before the first pass."""

    decides_ahead: ClassVar[bool] = True


def train(variant: Variant, steps: int, ascent: Ascent | None = None) -> tuple[list[int], list[Tensor]]:
    """How many examples each step evaluated, and the weights after the last."""
    model = plain_net()
    optimizer = SharpnessAware(torch.optim.SGD(model.parameters(), lr=0.1), variant, ascent=ascent or Ascent())
    evaluated = []
    generator = torch.Generator().manual_seed(3)
    for _ in range(steps):
        x, y = torch.randn(8, 1, 8, 8, generator=generator), torch.randint(3, (8,), generator=generator)
        batch = Batch(model, nn.functional.cross_entropy, x, y)
        optimizer.step(batch)
        evaluated.append(batch.evaluated)
    return evaluated, [p.detach() for p in model.parameters()]


@pytest.mark.parametrize("rule", [Sometimes, SometimesAhead])
def test_a_second_pass_where_the_rule_says_so(rule: type[Sometimes]) -> None:
    evaluated, weights = train(rule(rho=0.1), 4)
    assert evaluated == [8, 16, 8, 16]
    _, of_one_step = train(rule(rho=0.1), 1)
    _, of_the_base = train(rule(rho=0.0), 1)
    assert all(torch.equal(a, b) for a, b in zip(of_one_step, of_the_base, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(weights, train(rule(rho=0.0), 4)[1], strict=True))


def test_a_step_that_descends_its_first_gradient_has_the_whole_batch() -> None:
    """Decided ahead it is one pass; decided afterwards, the examples left out are passed too."""
    quarter = Ascent(ascent_fraction=0.25)
    assert train(Sometimes(rho=0.1), 2, quarter)[0] == [8, 2 + 8]
    assert train(SometimesAhead(rho=0.1), 2, quarter)[0] == [8, 2 + 8]


def test_that_steps_repeat_is_not_inherited() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Repeating(Sometimes):
        repeats: ClassVar[bool] = True

    class Child(Repeating):
        pass

    assert Repeating().signature(0, 0, {}) == Repeating().signature(5, 1, {"x": 1}) is not None
    assert Child().signature(0, 0, {}) is None


def test_a_rule_that_leaves_out_its_passes_is_refused_when_it_is_registered() -> None:
    registry: Registry[Variant] = Registry("optimizer", VARIANTS._advice)

    class Incomplete(Variant):
        def ascend(self, step: Step) -> list[Tensor]:
            return step.gradient

    with pytest.raises(ConfigError, match=r"Incomplete does not define gradient; .*is a samcli.optim.TwoPass"):
        registry.register("incomplete")(Incomplete)  # type: ignore[type-abstract]
    assert list(registry) == []


def test_no_rule_is_without_source_and_cost() -> None:
    ours = [kind for name in VARIANTS if (kind := VARIANTS.kind(name)).__module__.startswith("samcli.")]
    assert len(ours) == 34  # plug-ins of other tests aside
    for kind in ours:
        assert kind.passes
        assert kind.memory
        assert kind.paper
        assert 2020 < kind.year < 2030
