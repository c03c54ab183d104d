"""A metric after the last epoch against what training cost, relative to a baseline, and the Pareto front."""

from __future__ import annotations

from collections.abc import Sequence

from samcli.errors import ConfigError
from samcli.metrics import higher_is_better
from samcli.report.baseline import baseline_matcher
from samcli.report.conditions import require_same_conditions
from samcli.report.groups import grouped
from samcli.report.plot import Panel, Plot, Point, Quantity, Series, quantity
from samcli.report.plots._relative import reference_of, relative_cost
from samcli.report.plots._settings import MOST_POINTS, Setting, over_seeds, plot_of, settings_of
from samcli.report.reading import read_run
from samcli.report.timing import CLOCKS
from samcli.runs.reader import Run
from samcli.stats import summarise
from samcli.words import joined


def against_cost(
    runs: Sequence[Run],
    baseline: str = "sgd",
    metric: str | None = None,
    over: str = "gradients",
    *,
    limited: bool = True,
) -> Plot:
    """The mean of a metric after the last epoch, and of the cost of the whole training, over the seeds of each setting.

    The cost is relative to the mean one of a baseline: gradient evaluations; or seconds of the median epoch times the
    number of epochs, by the clock that was disturbed less, see `samcli.report.timing.cost`. Of several baselines of
    a panel the one with fewest gradient evaluations counts, the first by its name.

    Args:
        runs: any runs.
        baseline: an optimizer, or one with settings, see `samcli.report.baseline.baseline_matcher`.
        metric: a column of `metrics.csv`, or a kept measure of sharpness; by default the test score of the task.
        over: "gradients" or "seconds".
        limited: whether there may be no more settings and panels than one picture has room for.

    Raises:
        NothingToCompare: no finished runs.
        ConfigError: no run has the metric, there is no baseline, or seconds of runs that were timed under different
            conditions.

    >>> from samcli.report.example import example_runs
    >>> sam, sgd = against_cost(example_runs()).panels[0].series
    >>> sam.points[0].x, round(sam.points[0].y, 3), sam.on_front, sgd.points[0].x
    (2.0, 0.825, True, 1.0)
    """
    settings, notes = settings_of(runs, metric)
    is_baseline = baseline_matcher(baseline, [setting.config for setting in settings])
    panels, clocks, missing = [], set(), []
    for here in grouped(settings, lambda setting: setting.runs[0].place).values():
        if over == "seconds":
            require_same_conditions([run for setting in here for run in setting.runs], instead="--over gradients")
        reference = reference_of(here, is_baseline)
        if reference is None:
            missing.append(f"No finished {baseline} run on {here[0].where()}, so no cost there; see --baseline.")
            continue
        drawn = []
        for setting in here:
            point, clock = _point(setting, reference, over)
            if point is None:
                missing.append(f"{setting.name()} on {setting.where()}: no {setting.metric} or no cost was recorded.")
            else:
                drawn.append((setting.name(), point))
                clocks.add(clock)
        front = pareto([(point.x or 0.0, point.y) for _, point in drawn], higher_is_better(here[0].metric))
        series = [Series(name, (point,), on_front=index in front) for index, (name, point) in enumerate(drawn)]
        if series:
            axis = Quantity("cost", f"training cost relative to {reference.name()}, {_unit(over)}")
            panels.append(Panel(here[0].where(), axis, quantity(here[0].metric), tuple(series)))
    if not panels:
        raise ConfigError(" ".join(missing[:2]))
    by = f"; {joined(sorted(CLOCKS[clock] for clock in clocks), 'or')}" if over == "seconds" else ""
    caption = f"{over_seeds(panels, 'bars')}{by}; numbers: settings that no other beats in both"
    title = "after the last epoch against the cost of training"
    return plot_of(
        panels, runs, [*notes, *missing], title=title, caption=caption, most=MOST_POINTS if limited else None
    )


def pareto(points: Sequence[tuple[float, float]], higher_is_better: bool) -> set[int]:
    """The positions of the points that no other beats: none is as cheap and as good, and cheaper or better.

    Args:
        points: cost and value of each.
        higher_is_better: whether the larger of two values is the better one.

    >>> sorted(pareto([(1.0, 0.7), (2.0, 0.9), (2.0, 0.8), (3.0, 0.9)], higher_is_better=True))
    [0, 1]
    """
    turned = [(x, -y if higher_is_better else y) for x, y in points]
    return {
        index
        for index, (x, y) in enumerate(turned)
        if not any(other[0] <= x and other[1] <= y and other != (x, y) for other in turned)
    }


def _unit(over: str) -> str:
    return "gradient evaluations" if over == "gradients" else "seconds"


def _point(setting: Setting, reference: Setting, over: str) -> tuple[Point | None, str]:
    """A setting by its cost and its metric, over the seeds that have both, and the clock of seconds."""
    values = {run.seed: value for run in setting.runs if (value := read_run(run, setting.metric).last) is not None}
    x, clock = relative_cost([run for run in setting.runs if run.seed in values], reference, over)
    y = summarise(values.values())
    if x is None or x.mean is None or y.mean is None:
        return None, clock
    return Point(x.mean, y.mean, x.sd, y.sd, y.n), clock
