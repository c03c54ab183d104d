"""`equal: [..., ...], within: M`: the two sides differ by less than a margin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from samcli.report.hypotheses._cases import Cases, mean_over_strata, paired, unit_of
from samcli.report.hypotheses._evidence import Evidence, amount, interval
from samcli.report.hypotheses._sides import sides
from samcli.stats import equivalence, standardised
from samcli.stats.sign_flip import SMALLEST


def equal(cases: Cases, fields: Mapping[str, Any]) -> Evidence:
    """Two one-sided t tests of the difference, by seed, against the margin.

    Raises:
        Untestable: there are no such runs.
    """
    metric = cases.metric_less(fields.get("metric"), fields.get("less"), *fields["equal"])
    first, second = fields["equal"]
    pairs = paired(cases, first, second, metric).values()
    difference = mean_over_strata(
        [{seed: ours[seed] - theirs[seed] for seed in ours if seed in theirs} for ours, theirs in pairs]
    )
    margin, values = fields["within"], list(difference.values())
    found = equivalence(values, margin) if len(values) >= SMALLEST else None
    mean, low, high = interval(difference)
    # what is left of the margin, in units of the spread, is what more seeds would show
    room = None if mean is None else standardised([margin - abs(mean) + (value - mean) for value in values])
    return Evidence(
        f"{sides(first, second)}: {amount(mean, low, high, unit_of(metric))}",
        mean,
        low,
        high,
        len(difference),
        found.within if found else None,
        found.beyond if found else None,
        room,
    )
