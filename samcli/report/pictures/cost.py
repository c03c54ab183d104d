"""A picture of training time against gradient evaluations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator

from samcli.report.pictures._figure import TICKS, in_picture
from samcli.report.pictures._panels import Look, draw_panels, shown
from samcli.report.plot import Panel, Plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NARROWEST = 0.1  # what the axis shows at least to either side of the baseline
BAR: Look = {"capsize": 0.0, "elinewidth": 0.8}


def draw_cost(plot: Plot, width: float) -> Figure:
    """A point with error bars for each setting, and the line on which time is in step with passes.

    Args:
        plot: as `samcli.report.plots.costs` makes it.
        width: of the figure, in inches.

    >>> from samcli.report.example import example_runs
    >>> from samcli.report.plots import costs
    >>> figure = draw_cost(costs(example_runs()), width=3.3)
    >>> [text.get_text() for text in figure.legends[0].get_texts()]
    ['sam rho=0.05', 'sgd']
    """
    return draw_panels(plot, width, _draw)


def _draw(axes: Axes, panel: Panel, looks: dict[str, Look]) -> None:
    for one in panel.series:
        values, look = shown(one.points, panel), looks[one.name] | {"linestyle": "none"}
        axes.errorbar(
            values["x"], values["y"], values["y_sd"], values["x_sd"], label=in_picture(one.name), **BAR, **look
        )
    axes.margins(0.1)
    axes.xaxis.set_major_locator(MaxNLocator(TICKS))
    low, high = axes.get_xlim()  # of equal compute they are a point: ticks of thousandths tell nothing
    axes.set_xlim(min(low, 1.0 - NARROWEST), max(high, 1.0 + NARROWEST))
    axes.axline((1.0, 1.0), slope=1.0, color="0.6", linewidth=0.9, linestyle=":", zorder=1)
