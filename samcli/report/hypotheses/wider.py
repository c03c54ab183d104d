"""`wider: ..., than: ..., along: AXIS, within: D`: one side is near its best over a wider range of an axis."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from samcli.config.pattern import Pattern
from samcli.metrics import higher_is_better
from samcli.report.hypotheses._cases import Cases, Untestable
from samcli.report.hypotheses._evidence import Evidence, all_above_zero, interval, plain
from samcli.report.hypotheses._levels import by_level
from samcli.report.hypotheses._sides import sides


def wider(cases: Cases, fields: Mapping[str, Any]) -> Evidence:
    """The geometric mean over seeds of the ratio of two widths: largest over smallest level near the best.

    Near is what lies `within` of the best level of the same seed, without a gap between. A range that reaches the first
    or the last level that was tried may go on beyond: then the width of that side is known from below alone, and what
    rests on its being small is never taken as shown.

    Raises:
        Untestable: there are no such runs, or a level is not above zero.
    """
    ours, theirs = fields["wider"], fields["than"]
    metric, axis = cases.metric(fields.get("metric"), ours, theirs), fields["along"]
    first, second = (_ranges(cases, axis, side, metric, fields["within"]) for side in (ours, theirs))
    logs = {seed: first[0][seed] - second[0][seed] for seed in sorted(first[0]) if seed in second[0]}
    held, contradicted, effect = all_above_zero([{seed: one - math.log(fields["times"]) for seed, one in logs.items()}])
    mean, low, high = (None if value is None else math.exp(value) for value in interval(logs))
    words = f"{sides(ours, theirs, '/')}: {plain(mean, low, high)} times as wide"
    open_sides = [name for (_, is_open), name in ((first, "first"), (second, "second")) if is_open]
    if open_sides:
        words += f", where the range of the {' and the '.join(open_sides)} reaches the end of what was tried"
    never = effect is not None and (second[1] if effect > 0.0 else first[1])  # would more seeds decide it
    return Evidence(
        words,
        mean,
        low,
        high,
        len(logs),
        1.0 if held is not None and second[1] else held,
        1.0 if contradicted is not None and first[1] else contradicted,
        None if never else effect,
    )


def _ranges(cases: Cases, axis: str, side: Pattern, metric: str, within: float) -> tuple[dict[int, float], bool]:
    """The logarithm of the width for each seed, and whether one reaches an end of what was tried."""
    turn = 1.0 if higher_is_better(metric) else -1.0
    at = by_level(cases, axis, side, metric)
    levels = list(at)
    if levels[0] <= 0.0:
        raise Untestable(f"{axis} has {levels[0]:g}, and widths are ratios; leave it out.")
    if len(levels) < 3:
        raise Untestable(f"{axis} has {len(levels)} values with finished runs; a width needs three.")
    found, is_open = {}, False
    for seed in sorted(set.intersection(*(set(one) for one in at.values()))):
        begin, end = near_best([turn * at[level][seed] for level in levels], within)
        is_open |= begin == 0 or end == len(levels) - 1
        found[seed] = math.log(levels[end] / levels[begin])
    return found, is_open


def near_best(values: Sequence[float], within: float) -> tuple[int, int]:
    """The first and the last of the neighbours of the largest value that are not more than `within` below it.

    >>> near_best([0.1, 0.75, 0.8, 0.79, 0.5, 0.8], 0.05)
    (1, 3)
    """
    best = max(range(len(values)), key=lambda index: values[index])
    least = values[best] - within
    begin = end = best
    while begin > 0 and values[begin - 1] >= least:
        begin -= 1
    while end < len(values) - 1 and values[end + 1] >= least:
        end += 1
    return begin, end
