"""What a variant may touch of a step, by itself."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from samcli.optim import Ascent, Batch, Step


def step_of(
    weights: list[nn.Parameter], closure: Callable[[], Tensor], *, state: dict[str, Any] | None = None, **changes: Any
) -> Step:
    """A step over SGD with weight decay 1/2 on the first weight and none on the others."""
    groups = [{"params": weights[:1], "weight_decay": 0.5}, {"params": weights[1:]}]
    settings: dict[str, Any] = {
        "rho": 0.1, "index": 3, "part": 0, "progress": None, "seed": 7, "model": None, "ascent": Ascent(),
        "keeps_gradient": True, "takes_sparse": False, "host_waits": True, "unscale": 1.0,
    }  # fmt: skip
    state = {} if state is None else state
    return Step(closure, base=torch.optim.SGD(groups, lr=0.1), state=state, **(settings | changes))


def half_square(*weights: nn.Parameter) -> Callable[[], Tensor]:
    """The closure of ½ Σ w², whose gradient is w."""

    def closure() -> Tensor:
        for w in weights:
            w.grad = None
        loss = sum((0.5 * w.square().sum() for w in weights), torch.zeros(()))
        loss.backward()
        return loss

    return closure


@pytest.fixture
def weights() -> list[nn.Parameter]:
    return [nn.Parameter(torch.tensor([3.0])), nn.Parameter(torch.tensor([4.0])), nn.Parameter(torch.tensor([1.0]))]


def test_gradients_at_the_weights_and_around_them(weights: list[nn.Parameter]) -> None:
    step = step_of(weights, half_square(*weights[:2]))
    assert [g.item() for g in step.evaluate()] == [3.0, 4.0]
    assert (step.loss.item(), step.gradient_norm.item(), step.finite) == (12.5, 5.0, True)
    assert [id(p) for p in step.parameters] == [id(p) for p in weights[:2]]  # the third took no part
    assert [step.position[p] for p in weights] == [0, 1, 2]
    moves = [torch.tensor([1.0]), torch.tensor([-1.0])]
    assert [g.item() for g in step.gradient_at(moves)] == [4.0, 3.0]
    assert step.passed_loss.item() == 12.5
    assert [p.item() for p in weights] == [3.0, 4.0, 1.0]
    assert all(p.grad is None for p in weights)


def test_what_is_climbed_may_contain_the_weight_decay(weights: list[nn.Parameter]) -> None:
    plain, decayed = (
        step_of(weights, half_square(*weights), ascent=Ascent(ascent_weight_decay=asked)) for asked in (False, True)
    )
    plain.evaluate()
    decayed.evaluate()
    assert [g.item() for g in plain.ascent_gradient] == [3.0, 4.0, 1.0]
    assert [g.item() for g in decayed.ascent_gradient] == [4.5, 4.0, 1.0]
    offsets = [torch.tensor([2.0])] * 3
    assert [g.item() for g in decayed.with_weight_decay(decayed.gradient, offsets)] == [5.5, 4.0, 1.0]


def test_a_gradient_that_appears_later_is_kept_apart(weights: list[nn.Parameter]) -> None:
    first = half_square(weights[0])
    step = step_of(weights, first)
    step.evaluate()
    assert [g.item() for g in step.gradient_at([torch.tensor([1.0])], half_square(*weights[:2]))] == [4.0]
    assert {id(p): g.item() for p, g in step.unperturbed.items()} == {id(weights[1]): 4.0}


def test_memory_outlives_the_step_by_position(weights: list[nn.Parameter]) -> None:
    state: dict[str, Any] = {}
    step = step_of(weights, half_square(*weights), state=state)
    (kept,) = step.memory("mean", [weights[1]])
    assert (kept.item(), kept.requires_grad) == (0.0, False)
    kept.fill_(5.0)
    later = step_of(weights, half_square(*weights), state=state)
    assert [t.item() for t in later.memory("mean", weights)] == [0.0, 5.0, 0.0]


def test_draws_are_functions_of_seed_index_part_and_call(weights: list[nn.Parameter]) -> None:
    def draws(**changes: Any) -> list[float]:
        step = step_of(weights, half_square(*weights), **changes)
        return [torch.rand((), generator=step.generator()).item() for _ in range(2)]

    before = torch.get_rng_state()
    one = draws()
    assert draws() == one
    assert len({*one, *draws(seed=8), *draws(index=4), *draws(part=1)}) == 8
    assert torch.equal(torch.get_rng_state(), before)


def test_a_further_condition_counts_where_the_host_may_wait(weights: list[nn.Parameter]) -> None:
    waiting, ahead = (step_of(weights, half_square(*weights), host_waits=waits) for waits in (True, False))
    for step in (waiting, ahead):
        step.evaluate()
        step.require(torch.tensor(True))
        assert step.finite
        step.require(torch.tensor(False))
    assert (waiting.finite, ahead.finite) == (False, True)
    waiting.require(torch.tensor(True))
    assert not waiting.finite  # what was found stays found


def test_a_first_pass_of_another_process_is_adopted(weights: list[nn.Parameter]) -> None:
    step = step_of(weights, half_square(*weights))
    step.adopt([weights[0]])
    assert ([id(p) for p in step.parameters], step.loss.isnan().item()) == ([id(weights[0])], True)
    step.adopt([weights[0]], torch.tensor(2.0), torch.tensor(float("inf")))
    assert (step.loss.item(), step.finite, step.unperturbed) == (2.0, False, {})


def test_a_gradient_that_was_freed_says_what_to_set(weights: list[nn.Parameter]) -> None:
    step = step_of(weights, half_square(*weights), keeps_gradient=False)
    step.evaluate()
    step.gradient_at([torch.zeros(1)] * 3)
    with pytest.raises(RuntimeError, match="sets reuses_gradient"):
        _ = step.gradient


def test_the_rest_of_a_batch_completes_a_fraction() -> None:
    """Descending after all what was only climbed on a quarter gives the gradient of the whole batch."""
    torch.manual_seed(0)
    model, inputs, targets = nn.Linear(3, 2), torch.randn(8, 3), torch.randint(2, (8,))
    batch = Batch(model, nn.functional.cross_entropy, inputs, targets)
    batch()
    expected = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    whole = Batch(model, nn.functional.cross_entropy, inputs, targets)
    step = step_of(list(model.parameters()), whole, ascent=Ascent(ascent_fraction=0.25))
    step.evaluate()
    assert whole.evaluated == 2
    completed = step.complete()
    assert whole.evaluated == 8
    for ours, theirs in zip(completed, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)  # sums in another order
    torch.testing.assert_close(step.loss, nn.functional.cross_entropy(model(inputs), targets).detach())
