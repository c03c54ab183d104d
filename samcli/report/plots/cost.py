"""What training takes in seconds against what it takes in gradient evaluations, both relative to a baseline."""

from __future__ import annotations

from collections.abc import Sequence

from samcli.errors import ConfigError
from samcli.report.baseline import baseline_matcher
from samcli.report.conditions import require_same_conditions
from samcli.report.groups import grouped
from samcli.report.plot import Panel, Plot, Point, Quantity, Series
from samcli.report.plots._relative import reference_of, relative_cost
from samcli.report.plots._settings import MOST_POINTS, over_seeds, plot_of, settings_of
from samcli.report.timing import CLOCKS
from samcli.runs.reader import Run
from samcli.words import joined


def costs(runs: Sequence[Run], baseline: str = "sgd") -> Plot:
    """The seconds of the whole training against its gradient evaluations, over the seeds of each setting.

    Both are relative to the mean of a baseline: what lies above the diagonal takes time beyond its passes.

    Args:
        runs: any runs.
        baseline: an optimizer, or one with settings, see `samcli.report.baseline.baseline_matcher`.

    Raises:
        NothingToCompare: no finished runs.
        ConfigError: there is no baseline, or the runs were timed under different conditions.

    >>> from samcli.report.example import example_runs
    >>> sam, sgd = costs(example_runs()).panels[0].series
    >>> sam.points[0].x, sam.points[0].y, sgd.points[0].y
    (2.0, 2.0, 1.0)
    """
    settings, notes = settings_of(runs)
    is_baseline = baseline_matcher(baseline, [setting.config for setting in settings])
    panels, clocks, missing = [], set(), []
    for here in grouped(settings, lambda setting: setting.runs[0].place).values():
        require_same_conditions([run for setting in here for run in setting.runs], instead="--kind pareto")
        reference = reference_of(here, is_baseline)
        if reference is None:
            missing.append(f"No finished {baseline} run on {here[0].where()}, so no cost there; see --baseline.")
            continue
        series = []
        for setting in here:
            (x, _), (y, clock) = (relative_cost(setting.runs, reference, over) for over in ("gradients", "seconds"))
            if x is None or y is None or x.mean is None or y.mean is None:
                missing.append(f"{setting.name()} on {setting.where()}: its cost was not recorded.")
            else:
                series.append(Series(setting.name(), (Point(x.mean, y.mean, x.sd, y.sd, y.n),)))
                clocks.add(CLOCKS[clock])
        if series:
            passes = Quantity("gradients", f"gradient evaluations relative to {reference.name()}")
            seconds = Quantity("seconds", f"training time relative to {reference.name()}")
            panels.append(Panel(here[0].where(), passes, seconds, tuple(series)))
    if not panels:
        raise ConfigError(" ".join(missing[:2]))
    caption = f"{over_seeds(panels, 'bars')}; {joined(sorted(clocks), 'or')}; the line: time in step with passes"
    return plot_of(
        panels, runs, [*notes, *missing], title="against gradient evaluations", caption=caption, most=MOST_POINTS
    )
