"""Learning-rate schedules against closed forms and torch's own."""

import itertools

import pytest
import torch
from torch import nn

from samcli.optim import SCHEDULES

STEPS, EPOCHS = 7, 5


def factors(name: str, **options: object) -> list[float]:
    schedule = SCHEDULES.create(name, **options)
    return [schedule.factor(step, STEPS, EPOCHS) for step in range(STEPS * EPOCHS)]


def test_constant() -> None:
    assert factors("constant") == [1.0] * (STEPS * EPOCHS)


def test_cosine_is_that_of_torch() -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=1.0)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=STEPS * EPOCHS)
    expected = []
    for _ in range(STEPS * EPOCHS):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert factors("cosine") == pytest.approx(expected, abs=1e-9)


def test_multi_step_drops_after_finished_epochs() -> None:
    got = factors("multi-step", milestones=(1, 3), gamma=0.1)
    assert got == pytest.approx([1.0] * 7 + [0.1] * 14 + [0.01] * 14)


@pytest.mark.parametrize("name", ["constant", "cosine", "multi-step"])
def test_warm_up_is_linear_and_reaches_the_top(name: str) -> None:
    got = factors(name, warmup_epochs=2.0)
    assert got[:14] == pytest.approx([(step + 1) / 14 for step in range(14)])
    assert got[14] == 1.0


def test_cosine_after_warm_up_ends_near_zero() -> None:
    got = factors("cosine", warmup_epochs=1.0)
    assert 0 < got[-1] < 0.01
    assert all(a >= b for a, b in itertools.pairwise(got[6:]))


def test_warm_up_longer_than_the_run() -> None:
    assert factors("cosine", warmup_epochs=10.0)[-1] == pytest.approx(0.5)
