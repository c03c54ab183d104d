"""A picture of the test scores of runs against their sharpness."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator

from samcli.report.pictures._figure import TICKS, in_picture
from samcli.report.pictures._panels import Look, draw_panels, shown
from samcli.report.plot import Panel, Plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_sharpness(plot: Plot, width: float) -> Figure:
    """A point for each run; those of one setting share colour and marker.

    Args:
        plot: as `samcli.report.plots.against_sharpness` makes it.
        width: of the figure, in inches.

    >>> from samcli.report.example import example_runs
    >>> from samcli.report.plots import against_sharpness
    >>> figure = draw_sharpness(against_sharpness(example_runs()), width=3.3)
    >>> [line.get_xdata().tolist() for line in figure.axes[0].lines]
    [[0.02, 0.02], [0.08, 0.08]]
    """
    return draw_panels(plot, width, _draw)


def _draw(axes: Axes, panel: Panel, looks: dict[str, Look]) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(TICKS))
    for one in panel.series:
        values = shown(one.points, panel)
        axes.plot(values["x"], values["y"], label=in_picture(one.name), **looks[one.name] | {"linestyle": "none"})
