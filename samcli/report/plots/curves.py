"""Curves: a column of `metrics.csv` over epochs, gradient evaluations or seconds, for each setting."""

from __future__ import annotations

import math
from collections.abc import Sequence

from samcli.errors import ConfigError, nearest
from samcli.metrics import is_share
from samcli.report.conditions import require_same_conditions
from samcli.report.groups import grouped
from samcli.report.plot import Panel, Plot, Point, Quantity, Series, quantity, spans
from samcli.report.plots._settings import MOST_LINES, Setting, over_seeds, plot_of, settings_of
from samcli.report.reading import spent
from samcli.runs.reader import Run
from samcli.stats import summarise
from samcli.words import count

OVER = {
    "epochs": Quantity("epoch", "epoch"),
    "gradients": Quantity("gradient_evaluations", "gradient evaluations"),
    "seconds": Quantity("train_seconds", "training seconds"),
}
SPAN_FOR_LOG = 100.0  # between means, from which a logarithmic axis shows more; accuracies keep a linear one


def curves(runs: Sequence[Run], metric: str | None = None, over: str = "epochs", *, limited: bool = True) -> Plot:
    """The mean of a column over the finished seeds of each setting, with its standard deviation, epoch by epoch.

    A point is where all finished seeds of a setting have a value: none where the column is not measured after every
    epoch, and none after the end of the seed that ended first. Over gradient evaluations or seconds, x is the mean over
    seeds of what was spent up to that epoch.

    Args:
        runs: any runs.
        metric: a column of `metrics.csv`; by default the test score of the task.
        over: one of `OVER`: "epochs", "gradients", or "seconds" of training.
        limited: whether there may be no more lines and panels than one picture has room for.

    Raises:
        NothingToCompare: no finished runs.
        ConfigError: no run has the metric, there is no such axis, too many settings for one picture, or seconds of
            runs that were timed under different conditions.

    >>> from samcli.report.example import example_runs
    >>> sam, sgd = curves(example_runs(), over="gradients").panels[0].series
    >>> [(point.x, round(point.y, 3), point.n) for point in sam.points]
    [(2000.0, 0.5, 2), (4000.0, 0.825, 2)]
    """
    if over not in OVER:
        raise ConfigError(f"A curve is over one of {', '.join(OVER)}, not {over!r}; {nearest(over, OVER)}")
    settings, notes = settings_of(runs, metric)
    panels = []
    for here in grouped(settings, lambda setting: setting.runs[0].place).values():
        if over == "seconds":
            require_same_conditions([run for setting in here for run in setting.runs], instead="--over gradients")
        series = []
        for setting in here:
            points = _points(setting, over)
            notes += _shortened(setting, points)
            if points:
                series.append(Series(setting.name(), points))
        if series:
            panels.append(Panel(here[0].where(), OVER[over], _vertical(here[0].metric, series), tuple(series)))
    if not panels:
        raise ConfigError(
            f"No setting has {settings[0].metric} of all its finished seeds after any epoch; name another --metric."
        )
    return plot_of(
        panels,
        runs,
        notes,
        title=f"over {OVER[over].label if over != 'epochs' else over}",
        caption=over_seeds(panels, "band"),
        most=MOST_LINES if limited else None,
    )


def _points(setting: Setting, over: str) -> tuple[Point, ...]:
    """A point for each epoch of which all runs have the metric, and what they had spent."""
    values = zip(*(run.values(setting.metric) for run in setting.runs), strict=False)
    places = zip(*(run.values("epoch") if over == "epochs" else spent(run, over) for run in setting.runs), strict=False)
    points = []
    for x, y in zip(places, values, strict=False):
        if all(map(math.isfinite, (*x, *y))):
            mean = summarise(y)
            assert mean.mean is not None
            points.append(Point(sum(x) / len(x), mean.mean, y_sd=mean.sd, n=mean.n))
    return tuple(points)


def _shortened(setting: Setting, points: Sequence[Point]) -> list[str]:
    """Sentences on what of a setting is not drawn."""
    lengths = [len(run.table) for run in setting.runs]
    if not points:
        return [f"{setting.name()} on {setting.where()}: no epoch after which all seeds have {setting.metric}."]
    if min(lengths) < max(lengths):
        return [
            f"{setting.name()} on {setting.where()} is drawn up to {count(min(lengths), 'epoch')}, where the first of "
            f"its seeds ended; the last one ended after {max(lengths)}."
        ]
    return []


def _vertical(metric: str, series: Sequence[Series]) -> Quantity:
    means = [point.y for one in series for point in one.points]
    return quantity(metric, is_logarithmic=not is_share(metric) and spans(means, SPAN_FOR_LOG))
