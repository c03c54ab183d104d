"""The test score of each run against its sharpness."""

from __future__ import annotations

from collections.abc import Sequence

from samcli.errors import ConfigError
from samcli.report.groups import grouped
from samcli.report.metric import task_metric
from samcli.report.plot import Panel, Plot, Point, Series, quantity, spans
from samcli.report.plots._settings import MOST_POINTS, plot_of, settings_of
from samcli.report.reading import read_run
from samcli.runs.reader import Run
from samcli.words import count

SPAN_FOR_LOG = 10.0  # between the values of sharpness, from which their axis is logarithmic


def against_sharpness(runs: Sequence[Run], measure: str = "sharpness", *, limited: bool = True) -> Plot:
    """The test score of each finished run after its last epoch against a measure of its sharpness there.

    Args:
        runs: any runs.
        measure: a column of `metrics.csv`, or a kept measure of sharpness.
        limited: whether there may be no more settings and panels than one picture has room for.

    Raises:
        NothingToCompare: no finished runs.
        ConfigError: no run has the measure, or there are too many settings for one picture.

    >>> from samcli.report.example import example_runs
    >>> sam, sgd = against_sharpness(example_runs()).panels[0].series
    >>> [(point.x, point.y, point.seed) for point in sgd.points]
    [(0.08, 0.75, 0), (0.08, 0.7, 1)]
    """
    settings, notes = settings_of(runs, measure)
    panels = []
    for here in grouped(settings, lambda setting: setting.runs[0].place).values():
        score = task_metric(run for setting in here for run in setting.runs)
        series, left_out = [], 0
        for setting in here:
            points = []
            for run in setting.runs:
                x, y = read_run(run, measure).last, read_run(run, score).last
                if x is None or y is None:
                    left_out += 1
                else:
                    points.append(Point(x, y, seed=run.seed))
            if points:
                series.append(Series(setting.name(), tuple(points)))
        if left_out:
            lacking = f"without {measure} or {score} after the last epoch"
            notes.append(f"{here[0].where()}: {count(left_out, 'finished run')} {lacking}.")
        if series:
            values = [point.x for one in series for point in one.points if point.x is not None]
            axis = quantity(measure, is_logarithmic=spans(values, SPAN_FOR_LOG))
            panels.append(Panel(here[0].where(), axis, quantity(score), tuple(series)))
    if not panels:
        raise ConfigError(f"No finished run has {measure} after its last epoch; name another measure with --metric.")
    drawn = sum(len(one.points) for panel in panels for one in panel.series)
    title, caption = f"against {panels[0].x.label}", f"{count(drawn, 'run')} after their last epoch"
    return plot_of(panels, runs, notes, title=title, caption=caption, most=MOST_POINTS if limited else None)
