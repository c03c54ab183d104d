"""`mean_of: ..., metric: M, below: X`: a quantity against a number, such as one that theory gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from samcli.report.hypotheses._cases import Cases, Untestable, by_stratum, mean_over_strata
from samcli.report.hypotheses._evidence import Evidence, all_above_zero, interval, plain
from samcli.report.hypotheses._sides import told


def mean_of(cases: Cases, fields: Mapping[str, Any]) -> Evidence:
    """The mean over seeds, of several data sets and models over these as well, and the p-values of its distance.

    Raises:
        Untestable: there are no such runs.
    """
    ours = fields["mean_of"]
    metric = cases.metric(fields["metric"], ours)
    strata = by_stratum(cases, cases.matching(ours), cases.values(metric), frozenset(), told(ours))
    values = mean_over_strata(list(strata.values()))
    if not strata:
        raise Untestable(f"No run of {told(ours)} has finished.")
    below = "below" in fields
    bound = fields["below"] if below else fields["above"]
    parts = [{seed: bound - value if below else value - bound for seed, value in values.items()}]
    mean, low, high = interval(values)
    return Evidence(f"{metric}: {plain(mean, low, high)}", mean, low, high, len(values), *all_above_zero(parts))
