"""`lead_of: ..., over: ..., grows_with: AXIS`: the difference between two sides grows, or falls, along an axis."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from samcli.metrics import higher_is_better, is_share
from samcli.report.hypotheses._cases import (
    Cases,
    Stratum,
    Untestable,
    mean_over_strata,
    paired,
    require_same_strata,
)
from samcli.report.hypotheses._evidence import Evidence, all_above_zero, interval, plain
from samcli.report.hypotheses._sides import sides
from samcli.report.option_axis import axis_words
from samcli.stats import slopes
from samcli.words import count


def lead_of(cases: Cases, fields: Mapping[str, Any]) -> Evidence:
    """The slope of the lead along the axis for each seed, in the metric's unit per unit of the axis.

    Raises:
        Untestable: there are no such runs, they have fewer than two values on the axis, or those are of
            different data, models or settings.
    """
    metric = cases.metric(fields.get("metric"), fields["lead_of"], fields["over"])
    axis = fields.get("grows_with") or fields["falls_with"]
    turn = 1.0 if higher_is_better(metric) else -1.0
    at: dict[float, dict[Stratum, dict[int, float]]] = defaultdict(dict)
    for stratum, (ours, theirs) in paired(cases, fields["lead_of"], fields["over"], metric).items():
        kind, level = dict(stratum).get(axis, ("none", None))
        if kind == "number":
            at[float(level)][stratum] = {seed: turn * (ours[seed] - theirs[seed]) for seed in ours if seed in theirs}
    require_same_strata(axis, at.values())
    leads = {level: mean_over_strata(list(strata.values())) for level, strata in sorted(at.items())}
    if len(leads) < 2:
        raise Untestable(f"The runs of both have {count(len(leads), 'value')} of {axis}; a trend needs two.")
    seeds = set.intersection(*(set(one) for one in leads.values()))
    slope = slopes(list(leads), {seed: [one[seed] for one in leads.values()] for seed in sorted(seeds)})
    rising = "grows_with" in fields
    parts = [slope if rising else {seed: -value for seed, value in slope.items()}]
    mean, low, high = interval(slope)
    who = sides(fields["lead_of"], fields["over"])
    unit, by = (" points", 100.0) if is_share(metric) else ("", 1.0)
    first, second, third = (None if value is None else by * value for value in (mean, low, high))
    return Evidence(
        f"{who}: {plain(first, second, third, '+.3g')}{unit} per unit of {axis_words(axis)}",
        mean,
        low,
        high,
        len(slope),
        *all_above_zero(parts),
    )
