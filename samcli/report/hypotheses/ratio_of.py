"""`ratio_of: ..., to: ..., metric: M, below: R`: a quantity of one side over that of the other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from samcli.report.hypotheses._cases import Cases, Untestable, mean_over_strata, paired
from samcli.report.hypotheses._evidence import Evidence, all_above_zero, interval, plain
from samcli.report.hypotheses._sides import sides


def ratio_of(cases: Cases, fields: Mapping[str, Any]) -> Evidence:
    """The geometric mean over seeds of the ratio, with the interval of its logarithm.

    Raises:
        Untestable: there are no such runs, or the quantity is not above zero.
    """
    metric = cases.metric(fields["metric"], fields["ratio_of"], fields["to"])
    strata = []
    for ours, theirs in paired(cases, fields["ratio_of"], fields["to"], metric).values():
        common = [seed for seed in ours if seed in theirs]
        if any(min(ours[seed], theirs[seed]) <= 0.0 for seed in common):
            raise Untestable(f"{metric} is not above zero in all runs, so that a ratio says nothing.")
        strata.append({seed: math.log(ours[seed] / theirs[seed]) for seed in common})
    logs = mean_over_strata(strata)
    below = "below" in fields
    bound = math.log(fields["below"] if below else fields["above"])
    parts = [{seed: bound - value if below else value - bound for seed, value in logs.items()}]
    mean, low, high = (None if value is None else math.exp(value) for value in interval(logs))
    who = sides(fields["ratio_of"], fields["to"], "/")
    return Evidence(f"{who}: {plain(mean, low, high)} times", mean, low, high, len(logs), *all_above_zero(parts))
