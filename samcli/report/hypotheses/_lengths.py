"""Lengths that a schedule counts in epochs, in trainings of different lengths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from samcli.config.grid import token

LENGTHS = ("schedule.warmup_epochs", "schedule.milestones")

Flat = Mapping[str, Any]


def alike(flats: Sequence[Flat]) -> Sequence[Flat]:
    """Settings of runs, with schedules told at the length of the shortest training where more of them then agree.

    `equal_compute` stretches a schedule with the training: a warm-up of 2 of 80 epochs is that of 1 of 40. Where
    lengths were written out instead, 1 of 80 is 1 of 40, and they stay what they are.

    >>> long, short = ({"epochs": epochs, "schedule.warmup_epochs": epochs / 40} for epochs in (80, 40))
    >>> [flat["schedule.warmup_epochs"] for flat in alike([long, short])]
    [1.0, 1.0]
    >>> [flat["schedule.warmup_epochs"] for flat in alike([long, {**short, "schedule.warmup_epochs": 2.0}])]
    [2.0, 2.0]
    """
    lengths = [flat["epochs"] for flat in flats if "epochs" in flat]
    if len(set(lengths)) < 2:
        return flats
    shortest = min(lengths)
    told = [
        {key: _at(value, shortest / flat["epochs"]) if key in LENGTHS else value for key, value in flat.items()}
        if "epochs" in flat
        else flat
        for flat in flats
    ]
    return told if _kinds(told) < _kinds(flats) else flats


def _at(value: Any, factor: float) -> Any:
    if isinstance(value, list | tuple):
        return [max(1, round(item * factor)) for item in value]
    return value if value is None else float(f"{value * factor:.9g}")  # rounding tells no schedules apart


def _kinds(flats: Sequence[Flat]) -> int:
    return len({tuple(token(flat.get(key)) for key in LENGTHS) for flat in flats})
