"""`range_of: AXIS, beats: ..., spans: FACTOR`: a whole range of an axis is better than something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from samcli.config.pattern import Pattern, Wanted
from samcli.metrics import higher_is_better
from samcli.report.hypotheses._cases import Cases, Untestable, mean_over_strata, paired
from samcli.report.hypotheses._evidence import BySeed, Evidence, all_above_zero, interval
from samcli.report.hypotheses._levels import by_level
from samcli.stats.longest_range import longest_range


def range_of(cases: Cases, fields: Mapping[str, Any]) -> Evidence:
    """Whether all levels of some range, whose last is `spans` times its first, are better.

    It is held where it is for one such range, with the p-value of its least certain level times how many ranges there
    are; contradicted where in each of them some level is worse.

    Raises:
        Untestable: there are no such runs, or no two levels lie so far apart.
    """
    metric = cases.metric(fields.get("metric"), fields.get("among"), fields["beats"])
    turn = 1.0 if higher_is_better(metric) else -1.0
    axis, among = fields["range_of"], fields.get("among")
    levels = list(by_level(cases, axis, among, metric))
    leads: dict[float, BySeed] = {}
    for level in levels:
        ours = Pattern([*(among or ()), Wanted(axis, level, axis)])
        pairs = paired(cases, ours, fields["beats"], metric).values()
        leads[level] = mean_over_strata(
            [{seed: turn * (a[seed] - b[seed]) for seed in a if seed in b} for a, b in pairs]
        )
    windows = _windows(levels, fields["spans"])
    if not windows:
        raise Untestable(f"{axis} goes from {levels[0]:g} to {levels[-1]:g}, less than {fields['spans']:g} times.")
    tests = [all_above_zero([leads[level] for level in window]) for window in windows]
    held = [p for p, _, _ in tests if p is not None]
    against = [p for _, p, _ in tests if p is not None]
    effects = [effect for _, _, effect in tests if effect is not None]
    sure = [level for level in levels if (interval(leads[level])[1] or -1.0) > 0.0]
    found = longest_range(sure, levels)
    words = f"{axis} {found[0]:g} to {found[-1]:g}" if found else f"no {axis} surely better"
    return Evidence(
        words,
        found[-1] / found[0] if found and found[0] > 0.0 else None,
        None,
        None,
        min(map(len, leads.values())),
        min(1.0, len(windows) * min(held)) if len(held) == len(windows) else None,
        max(against) if len(against) == len(windows) else None,
        max(effects, default=None),
    )


def _windows(levels: Sequence[float], spans: float) -> list[list[float]]:
    """The shortest ranges of neighbouring levels whose last is so many times the first.

    >>> _windows([0.1, 0.2, 0.4, 0.8], 4.0)
    [[0.1, 0.2, 0.4], [0.2, 0.4, 0.8]]
    """
    found = []
    for begin, first in enumerate(levels):
        end = next((i for i, level in enumerate(levels) if i > begin and level >= spans * first * (1.0 - 1e-9)), None)
        if first > 0.0 and end is not None:
            found.append(list(levels[begin : end + 1]))
    return found
