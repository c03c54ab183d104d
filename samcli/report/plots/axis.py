"""A metric after the last epoch along a numeric option of a grid."""

from __future__ import annotations

from collections.abc import Sequence

from samcli.errors import ConfigError
from samcli.report.baseline import setting_key
from samcli.report.groups import grouped
from samcli.report.option_axis import axis_words, number_of, without
from samcli.report.plot import Panel, Plot, Point, Quantity, Series, quantity, spans
from samcli.report.plots._settings import MOST_LINES, Setting, over_seeds, plot_of, settings_of
from samcli.report.reading import read_run
from samcli.report.settings import flatten
from samcli.runs.reader import Run
from samcli.stats import summarise

SPAN_FOR_LOG = 8.0  # between the values of the option, from which their axis is logarithmic


def along_axis(runs: Sequence[Run], axis: str, metric: str | None = None, *, limited: bool = True) -> Plot:
    """The mean of a metric after the last epoch over seeds, along an option, for each of what else settings differ in.

    Settings without the option, such as plain SGD along a radius, are one point whose x is None: they hold all along.

    Args:
        runs: any runs.
        axis: the option, as `samcli.report.baseline.setting_key` takes it: "rho", "dataset.label_noise", "epochs".
        metric: a column of `metrics.csv`, or a kept measure of sharpness; by default the test score of the task.
        limited: whether there may be no more lines and panels than one picture has room for.

    Raises:
        NothingToCompare: no finished runs.
        ConfigError: no run has the metric or the option, the option has not two numbers, or there are too many lines.

    >>> from samcli.report.example import example_runs
    >>> along_axis(example_runs(), "lr")
    Traceback (most recent call last):
    samcli.errors.ConfigError: --axis lr: all runs that have it have 0.1; name an option in which they differ.
    """
    settings, notes = settings_of(runs, metric)
    key = setting_key(axis, {key: None for one in settings for key in flatten(one.config)}, f"--axis {axis}")
    numbers = {id(setting): number_of(setting.config, key, f"--axis {axis}") for setting in settings}
    values = sorted({number for number in numbers.values() if number is not None})
    if len(values) < 2:
        only = "no number" if not values else f"{values[0]:g}"
        raise ConfigError(f"--axis {axis}: all runs that have it have {only}; name an option in which they differ.")
    horizontal = Quantity(key, axis_words(key), is_logarithmic=spans(values, SPAN_FOR_LOG))
    panels = []
    for here in grouped(settings, lambda setting: without(setting.runs[0], key).place).values():
        series = []
        for line in grouped(here, lambda setting: without(setting.runs[0], key).setting).values():
            points = []
            for setting in sorted(line, key=lambda setting: numbers[id(setting)] or 0.0):
                point = _point(setting, numbers[id(setting)])
                if point is None:
                    notes.append(f"{setting.name()} on {setting.where()}: no {setting.metric} after the last epoch.")
                else:
                    points.append(point)
            if points:
                series.append(Series(line[0].name(leaving_out=key), tuple(points)))
        if series:
            panels.append(Panel(here[0].where(leaving_out=key), horizontal, quantity(here[0].metric), tuple(series)))
    if not panels:
        raise ConfigError(f"No finished run has {settings[0].metric} after its last epoch; name another --metric.")
    title = f"after the last epoch, along {horizontal.label}"
    return plot_of(
        panels, runs, notes, title=title, caption=over_seeds(panels, "bars"), most=MOST_LINES if limited else None
    )


def axes_of(runs: Sequence[Run]) -> list[str]:
    """The options along which runs can be drawn: numbers, which differ between settings that are equal in all else.

    Args:
        runs: any runs; those that have finished count.

    Raises:
        NothingToCompare: no finished runs.

    >>> from samcli.report.example import example_runs
    >>> axes_of(example_runs())
    []
    """
    settings, _ = settings_of(runs)
    found = []
    for key in dict.fromkeys(key for setting in settings for key in flatten(setting.config)):
        try:
            numbers = [(setting, number_of(setting.config, key, key)) for setting in settings]
        except ConfigError:  # words
            continue
        having = [(setting, number) for setting, number in numbers if number is not None]
        if len({number for _, number in having}) > 1:
            lines = grouped(having, lambda one: without(one[0].runs[0], key).setting).values()  # noqa: B023
            if any(len({number for _, number in line}) > 1 for line in lines):
                found.append(key)
    return found


def _point(setting: Setting, x: float | None) -> Point | None:
    """The mean over the runs that have the metric after their last epoch; None where none has."""
    found = [value for run in setting.runs if (value := read_run(run, setting.metric).last) is not None]
    mean = summarise(found)
    return None if mean.mean is None else Point(x, mean.mean, y_sd=mean.sd, n=mean.n)
