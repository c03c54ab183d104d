"""Values by the levels of an axis."""

from __future__ import annotations

from samcli.config.pattern import Pattern
from samcli.report.hypotheses._cases import Cases, Untestable, by_stratum, mean_over_strata, require_same_strata


def by_level(cases: Cases, axis: str, among: Pattern | None, metric: str) -> dict[float, dict[int, float]]:
    """For each number on an axis, rising, the value of each seed; the mean over data sets and models.

    Raises:
        Untestable: no runs have the axis, its levels are of different data, models or settings, or runs of several
            optimizers have it and it is not said which is meant.
    """
    values = cases.values(metric)
    members = [index for index in cases.matching(among) if axis in cases.flats[index]]
    names = {str(cases.flats[index]["optimizer.name"]) for index in members}
    if len(names) > 1:
        raise Untestable(f"{' and '.join(sorted(names))} have {axis}; say which with among: {{optimizer: NAME}}.")
    at = {}
    for level in cases.levels(axis, members):
        here = [index for index in members if cases.flats[index][axis] == level]
        at[level] = by_stratum(cases, here, values, frozenset({axis}), f"{axis}={level:g}")
    if not at:
        raise Untestable(f"No finished run has {axis}.")
    require_same_strata(axis, at.values())
    return {level: mean_over_strata(list(strata.values())) for level, strata in at.items()}
