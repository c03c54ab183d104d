"""`correlated: [X, Y], tau: "> 0"`: two quantities rank the settings alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from samcli.config.grid import setting_of, token
from samcli.report.hypotheses._cases import Cases, Untestable
from samcli.report.hypotheses._evidence import Evidence, all_above_zero, interval, plain
from samcli.stats import kendall_within
from samcli.words import joined, some_of

FEWEST = 4  # settings that a seed has to rank


def correlated(cases: Cases, fields: Mapping[str, Any]) -> Evidence:
    """Kendall's τ over the settings for each seed: runs of one seed share its initialisation, and are one observation.

    With `holding` it is that among settings which are equal in these, see `samcli.stats.kendall_within`.

    Raises:
        Untestable: no seed has four settings with both quantities, or they are of several data sets or models, between
            which sharpness does not compare.
    """
    first, second = (cases.values(cases.metric(name, fields.get("among"))) for name in fields["correlated"])
    known = {key for flat in cases.flats for key in flat}
    holding = [setting_of(key, known) or key for key in fields.get("holding", ())]
    pairs: dict[int, list[tuple[float, float, Any]]] = defaultdict(list)
    kinds = set()
    for index in cases.matching(fields.get("among")):
        x, y = first[index], second[index]
        if x is not None and y is not None and cases.runs[index].state == "finished":
            group = tuple(token(cases.flats[index].get(key)) for key in holding)
            pairs[cases.runs[index].seed].append((x, y, group))
            kinds.add(tuple(str(cases.flats[index][f"{block}.name"]) for block in ("dataset", "model")))
    if len(kinds) > 1:
        named = some_of(sorted(", ".join(kind) for kind in kinds))
        raise Untestable(
            f"Runs of {named} do not correlate as one; say which with among: {{dataset: NAME, model: NAME}}."
        )
    taus = {}
    for seed, points in sorted(pairs.items()):
        x_, y_, groups = zip(*points, strict=True)
        found = kendall_within(x_, y_, groups, permutations=0)
        if found.tau is not None and found.n >= FEWEST:
            taus[seed] = found.tau
    if not taus:
        beside = f" beside others of the same {joined(holding)}" if holding else ""
        raise Untestable(f"No seed has {FEWEST} settings with both {' and '.join(fields['correlated'])}{beside}.")
    relation = fields["tau"]
    turn = 1.0 if relation.above else -1.0
    parts = [{seed: turn * (tau - relation.bound) for seed, tau in taus.items()}]
    mean, low, high = interval(taus)
    return Evidence(f"τ {plain(mean, low, high, '+.2f')}", mean, low, high, len(taus), *all_above_zero(parts))
