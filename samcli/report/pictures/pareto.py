"""A picture of a metric against cost, with the Pareto front."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from samcli.report.groups import grouped
from samcli.report.pictures._figure import in_picture
from samcli.report.pictures._panels import Look, draw_panels, shown
from samcli.report.plot import Panel, Plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BAR: Look = {"capsize": 0.0, "elinewidth": 0.8}
OFFSET = 3.0  # of a number from its point, in points
SIZE_OF_NUMBERS = 7.0  # in points
MARGIN = 0.1  # share of the axis before its first point, where a number has room


def draw_pareto(plot: Plot, width: float) -> Figure:
    """A point with error bars for each setting; those that no other beats are joined by a line and numbered.

    A number stands beside its point and behind its name in the legend: names would lie on each other.

    Args:
        plot: as `samcli.report.plots.against_cost` makes it.
        width: of the figure, in inches.

    >>> from samcli.report.example import example_runs
    >>> from samcli.report.plots import against_cost
    >>> figure = draw_pareto(against_cost(example_runs()), width=3.3)
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['1', '2']
    >>> [text.get_text() for text in figure.legends[0].get_texts()]
    ['sam rho=0.05 (2)', 'sgd (1)']
    """
    front = [one for panel in plot.panels for one in sorted(panel.series, key=lambda one: one.points[0].x or 0.0)]
    names = dict.fromkeys(one.name for one in front if one.on_front)
    numbers = {name: number for number, name in enumerate(names, 1)}
    return draw_panels(
        plot, width, partial(_draw, numbers=numbers), {name: f"({number})" for name, number in numbers.items()}
    )


def _draw(axes: Axes, panel: Panel, looks: dict[str, Look], numbers: dict[str, int]) -> None:
    front = []
    axes.margins(x=MARGIN)
    for one in panel.series:
        values, look = shown(one.points, panel), looks[one.name] | {"linestyle": "none"}
        axes.errorbar(
            values["x"], values["y"], values["y_sd"], values["x_sd"], label=in_picture(one.name), **BAR, **look
        )
        if one.on_front:
            front.append((values["x"][0], values["y"][0], numbers[one.name]))
    front.sort()
    axes.plot([x for x, *_ in front], [y for _, y, _ in front], color="0.4", linewidth=0.9, linestyle=":", zorder=1)
    for equal in grouped(front, lambda point: repr(point[:2])).values():
        axes.annotate(
            ", ".join(str(number) for *_, number in equal),
            equal[0][:2],
            (-OFFSET, OFFSET),
            textcoords="offset points",
            ha="right",
            fontsize=SIZE_OF_NUMBERS,
        )
