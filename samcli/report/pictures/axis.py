"""A picture of a metric along an option."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from matplotlib.ticker import FixedLocator

from samcli.report.pictures._figure import in_picture
from samcli.report.pictures._panels import Look, draw_panels, shown
from samcli.report.plot import Panel, Plot, Point

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OPACITY = 0.12
NEAREST_TICKS = 0.09  # share of the axis between two numbers on it
BAR: Look = {"capsize": 2.0, "elinewidth": 0.8}


def draw_axis(plot: Plot, width: float) -> Figure:
    """A line with error bars for each of what settings differ in; what has no such option is a level with a band.

    Args:
        plot: as `samcli.report.plots.along_axis` makes it.
        width: of the figure, in inches.

    >>> from dataclasses import replace
    >>> from samcli.report.example import example_runs
    >>> from samcli.report.plots import along_axis
    >>> runs = example_runs()
    >>> optimizer = runs[2].config["optimizer"] | {"rho": 0.4}
    >>> wide = replace(runs[2], config=runs[2].config | {"optimizer": optimizer})
    >>> figure = draw_axis(along_axis([*runs, wide], "rho"), width=3.3)
    >>> figure.axes[0].get_xscale(), [text.get_text() for text in figure.legends[0].get_texts()]
    ('log', ['sam', 'sgd'])
    """
    figure = draw_panels(plot, width, _draw)
    for axes, panel in zip(figure.axes, plot.panels, strict=True):
        axes.xaxis.set_major_locator(FixedLocator(_ticks(panel)))
        axes.xaxis.set_major_formatter("{x:g}")
    return figure


def _draw(axes: Axes, panel: Panel, looks: dict[str, Look]) -> None:
    for one in panel.series:
        values, look, name = shown(one.points, panel), looks[one.name], in_picture(one.name)
        if _is_level(one.points):
            (mean,), (sd,) = values["y"], values["y_sd"]
            line = {key: look[key] for key in ("color", "linestyle", "linewidth")}
            axes.axhline(mean, label=name, **line)
            if math.isfinite(sd):
                axes.axhspan(mean - sd, mean + sd, color=look["color"], alpha=OPACITY, linewidth=0.0, zorder=0)
        else:
            axes.errorbar(values["x"], values["y"], values["y_sd"], label=name, **BAR, **look)


def _is_level(points: tuple[Point, ...]) -> bool:
    return points[0].x is None


def _ticks(panel: Panel) -> list[float]:
    """The values of the option, but those that stand too near to the one before."""
    values = sorted({point.x for one in panel.series for point in one.points if point.x is not None})
    places = [math.log(value) if panel.x.is_logarithmic else value for value in values]
    ticks: list[int] = []
    for index, place in enumerate(places):
        if not ticks or place - places[ticks[-1]] >= NEAREST_TICKS * (places[-1] - places[0]):
            ticks.append(index)
    return [values[index] for index in ticks]
