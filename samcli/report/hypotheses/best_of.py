"""`best_of: AXIS, inside: true`: the best value lies inside the range of an axis, not at an end of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from samcli.metrics import higher_is_better
from samcli.report.hypotheses._cases import Cases, Untestable
from samcli.report.hypotheses._evidence import Evidence, all_above_zero
from samcli.report.hypotheses._levels import by_level
from samcli.report.option_axis import axis_words
from samcli.stats import inside_against_ends
from samcli.words import count


def best_of(cases: Cases, fields: Mapping[str, Any]) -> Evidence:
    """The best inner level against both ends; which one that is the other seeds tell.

    Raises:
        Untestable: fewer than two seeds or three levels.
    """
    metric, axis = cases.metric(fields.get("metric"), fields.get("among")), fields["best_of"]
    turn = 1.0 if higher_is_better(metric) else -1.0
    levels = by_level(cases, axis, fields.get("among"), metric)
    seeds = sorted(set.intersection(*(set(one) for one in levels.values())))
    if len(seeds) < 2 or len(levels) < 3:
        there = f"{count(len(seeds), 'seed')} with all of {count(len(levels), 'value')} of {axis}"
        raise Untestable(f"{there}: an optimum inside needs two seeds and three values.")
    first, last = inside_against_ends({seed: [turn * one[seed] for one in levels.values()] for seed in seeds})
    means = {level: sum(one[seed] for seed in seeds) / len(seeds) for level, one in levels.items()}
    best = max(means, key=lambda level: turn * means[level])
    held, contradicted, effect = all_above_zero([first, last])
    if not fields["inside"]:
        held, contradicted, effect = contradicted, held, None if effect is None else -effect
    words = f"best at {axis_words(axis)}={best:g}, tried {min(levels):g} to {max(levels):g}"
    return Evidence(words, best, None, None, len(seeds), held, contradicted, effect)
