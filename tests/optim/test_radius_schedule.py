"""When a variant is on, and how its radius changes."""

import math
from collections.abc import Callable

import pytest

from samcli.optim import RadiusSchedule

STEPS, EPOCHS = 10, 6


def factors(**options: object) -> list[float]:
    schedule = RadiusSchedule(**options)  # type: ignore[arg-type]
    return [schedule.factor(step, STEPS, EPOCHS, lr_factor=0.5) for step in range(STEPS * EPOCHS)]


def test_constant_by_default() -> None:
    assert factors() == [1.0] * 60


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("linear", lambda t: 1 - t / 60),
        ("cosine", lambda t: 0.5 * (1 + math.cos(math.pi * t / 60))),
        ("lr", lambda t: 0.5),
    ],
)
def test_schedules(schedule: str, expected: Callable[[int], float]) -> None:
    assert factors(rho_schedule=schedule) == pytest.approx([expected(t) for t in range(60)])


def test_on_between_two_epochs() -> None:
    got = factors(start_epoch=1.5, end_epoch=4)
    assert got == [0.0] * 15 + [1.0] * 25 + [0.0] * 20


def test_warm_up_starts_with_the_variant() -> None:
    got = factors(start_epoch=2, rho_warmup_epochs=1)
    assert got[:20] == [0.0] * 20
    assert got[20:30] == pytest.approx([i / 10 for i in range(1, 11)])
    assert got[30:] == [1.0] * 30
