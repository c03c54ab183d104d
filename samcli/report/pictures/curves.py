"""A picture of curves with bands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from samcli.report.pictures._figure import in_picture
from samcli.report.pictures._panels import Look, draw_panels, shown
from samcli.report.plot import Panel, Plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKED = 8  # points of a curve that have a marker, of so many or more
OPACITY = 0.6  # of all bands of a panel together, if they lay on each other
STRONGEST = 0.2  # band


def draw_curves(plot: Plot, width: float) -> Figure:
    """A line for each setting, and a band of one standard deviation around it.

    Args:
        plot: as `samcli.report.plots.curves` makes it.
        width: of the figure, in inches.

    >>> from samcli.report.example import example_runs
    >>> from samcli.report.plots import curves
    >>> figure = draw_curves(curves(example_runs()), width=3.3)
    >>> [line.get_ydata().round(1).tolist() for line in figure.axes[0].lines]
    [[50.0, 82.5], [50.0, 72.5]]
    """
    return draw_panels(plot, width, _draw)


def _draw(axes: Axes, panel: Panel, looks: dict[str, Look]) -> None:
    opacity = min(STRONGEST, OPACITY / len(panel.series))
    for number, one in enumerate(panel.series):
        values, look = shown(one.points, panel), looks[one.name]
        every = max(1, len(one.points) // MARKED)
        axes.plot(values["x"], values["y"], label=in_picture(one.name), markevery=(number % every, every), **look)
        mean, sd = np.array(values["y"]), np.array(values["y_sd"])
        if np.isfinite(sd).all():
            axes.fill_between(
                values["x"], mean - sd, mean + sd, color=look["color"], alpha=opacity, linewidth=0.0, zorder=1
            )
