"""The update under a scaled loss: told to the scaler once, skipped where something is not finite."""

import math
from functools import partial

import pytest
import torch
from torch import Tensor

from samcli.optim.means import ByParameter, Descent, StepMeans
from samcli.optim.scaled import scaled_step, scaled_update


@pytest.fixture
def scaler() -> torch.amp.GradScaler:
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=1)
    scaler.scale(torch.ones(()))  # it has no scale before its first use
    return scaler


def means_of(weights: Tensor, gradient: list[float]) -> StepMeans:
    means = StepMeans()
    means.gradient.add([weights], [torch.tensor(gradient)], 1.0)
    return means


def descend_times(times: int, means: StepMeans, descend: Descent) -> None:
    for _ in range(times):
        descend(ByParameter({p: g.clone() for p, g in means.gradient.items()}))


@pytest.mark.parametrize("times", [1, 2])
def test_a_sound_gradient_is_descended_as_it_is(scaler: torch.amp.GradScaler, times: int) -> None:
    weights = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    means = means_of(weights, [0.1, 0.3])
    base = torch.optim.SGD([weights], lr=0.5)
    assert scaled_update(scaler, base, means, True, partial(descend_times, times, means))
    twin = torch.tensor([1.0, 2.0])
    for _ in range(times):
        twin = twin - 0.5 * torch.tensor([0.1, 0.3])
    assert torch.equal(weights.data, twin)
    assert scaler.get_scale() == 2048.0  # it grew once, however often the rule descended


@pytest.mark.parametrize(
    ("gradient", "finite"), [([math.inf, 0.3], True), ([math.nan, 0.3], True), ([0.1, 0.3], False)]
)
def test_what_is_not_finite_changes_nothing_but_the_scale(
    scaler: torch.amp.GradScaler, gradient: list[float], finite: bool
) -> None:
    weights = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    base = torch.optim.SGD([weights], lr=0.5, momentum=0.9)

    def update(descend: Descent) -> None:
        raise AssertionError("the rule must not update anything")

    assert not scaled_update(scaler, base, means_of(weights, gradient), finite, update)
    assert weights.tolist() == [1.0, 2.0]
    assert not base.state
    assert scaler.get_scale() == 512.0


def test_a_first_step_that_overflows_leaves_no_momentum(scaler: torch.amp.GradScaler) -> None:
    """Fused SGD allocates its momentum before it looks at the flag, and would go on with what lay in memory."""
    weights = torch.nn.Parameter(torch.ones(2))
    base = torch.optim.SGD([weights], lr=0.5, momentum=0.9, fused=True)
    for slope, expected in ((3e38, 1.0), (1.0, 0.5)):
        base.zero_grad()
        scaler.scale(slope * weights.sum()).backward()
        scaled_step(base, scaler)
        assert weights.tolist() == [expected, expected]
        assert bool(base.state) == (slope == 1.0)
