"""`better: ..., than: ...`: one side has the better mean, by more than a bound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from samcli.metrics import higher_is_better
from samcli.report.hypotheses._cases import Cases, mean_over_strata, paired, unit_of
from samcli.report.hypotheses._evidence import Evidence, all_above_zero, amount, interval
from samcli.report.hypotheses._sides import sides


def better(cases: Cases, fields: Mapping[str, Any]) -> Evidence:
    """How much better one side is than the other, by seed; the mean over the data sets, models and settings of both.

    Raises:
        Untestable: there are no such runs.
    """
    metric = cases.metric_less(fields.get("metric"), fields.get("less"), fields["better"], fields["than"])
    turn = 1.0 if higher_is_better(unit_of(metric)) else -1.0
    pairs = paired(cases, fields["better"], fields["than"], metric).values()
    difference = mean_over_strata(
        [{seed: ours[seed] - theirs[seed] for seed in ours if seed in theirs} for ours, theirs in pairs]
    )
    lead = {seed: turn * value - fields["by"] for seed, value in difference.items()}
    words = f"{sides(fields['better'], fields['than'])}: {amount(*interval(difference), unit_of(metric))}"
    return Evidence(words, *interval(difference), len(difference), *all_above_zero([lead]))
