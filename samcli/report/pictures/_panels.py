"""What all plots of runs share: panels side by side, a look for each setting, and one legend below."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

from samcli.report.palette import COLOURS, MARKERS, STROKES
from samcli.report.pictures._figure import (
    CHARACTERS_OF_MARKER,
    SIZE,
    TICKS,
    characters_in,
    in_picture,
    legend_below,
    make_logarithmic,
    titled_figure,
)
from samcli.report.plot import Panel, Plot, Point

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Draw = Callable[[Axes, Panel, dict[str, "Look"]], None]

Look = dict[str, Any]  # arguments of matplotlib

COLUMNS = 3
NARROWEST = 2.2  # panel that stands beside another, in inches
SHAPE = 0.68  # height of a panel by its width
LOWEST, HIGHEST = 1.9, 3.2  # panel, in inches
LINE_OF_TITLE = 0.16  # in inches
FEWEST_CHARACTERS = 16  # in a line
MANY = 8  # entries of a legend, from which its letters are small
SMALL = 7.0  # letters, in points
DIGITS = (-4, 5)  # powers of ten, outside of which numbers on an axis are multiples of one


def look_of(number: int) -> Look:
    """Colour, marker and stroke of a setting, each of another number, so that black and white print tells them apart.

    >>> look_of(1)["color"], look_of(1)["marker"], look_of(1)["linestyle"], look_of(8)["marker"]
    ('#D55E00', 's', '--', 'o')
    """
    return {
        "color": COLOURS[number % len(COLOURS)],
        "marker": MARKERS[number % len(MARKERS)],
        "linestyle": STROKES[number % len(STROKES)],
        "linewidth": 1.2,
        "markersize": 5.0,
        "markeredgecolor": "white",
        "markeredgewidth": 0.4,
    }


def draw_panels(plot: Plot, width: float, draw: Draw, marks: Mapping[str, str] | None = None) -> Figure:
    """A figure with a pair of axes for each panel; a setting looks the same in all of them.

    Args:
        plot: what is drawn.
        width: of the figure, in inches.
        draw: puts the series of a panel on its axes, each under its name in the keys of the looks.
        marks: what stands behind a name in the legend.

    >>> from samcli.report.plot import Quantity, Series
    >>> x = Quantity("epoch", "epoch")
    >>> plot = Plot("Loss", "one seed", (Panel("digits, cnn", x, x, (Series("sgd", (Point(1.0, 0.5),)),)),), ())
    >>> figure = draw_panels(plot, 3.3, lambda axes, panel, looks: axes.plot([1.0], [0.5], label="sgd"))
    >>> figure.get_suptitle().splitlines()
    ['Loss', 'digits, cnn; one seed']
    """
    columns = min(len(plot.panels), COLUMNS, max(1, int(width / NARROWEST)))
    columns = 2 if len(plot.panels) == 4 and columns > 2 else columns
    rows = -(-len(plot.panels) // columns)
    side = width / columns
    height = min(max(SHAPE * side, LOWEST), HIGHEST)
    looks = {name: look_of(number) for number, name in enumerate(plot.names)}
    several = len(plot.panels) > 1
    caption = plot.caption if several else f"{plot.panels[0].where}; {plot.caption}"
    with titled_figure((plot.title, caption), width, rows * height) as figure:
        figure.set_figheight(rows * height + LINE_OF_TITLE * len(figure.get_suptitle().split("\n")))
        every = list(figure.subplots(rows, columns, squeeze=False).flat)
        for axes in every[len(plot.panels) :]:
            axes.remove()
        every = every[: len(plot.panels)]
        for axes, panel in zip(every, plot.panels, strict=True):
            if several:
                axes.set_title(_filled(panel.where, side))
            axes.ticklabel_format(scilimits=DIGITS, useMathText=True)
            axes.locator_params(nbins=TICKS + 2)
            axes.set(xlabel=_filled(panel.x.label, side - 0.5), ylabel=_filled(panel.y.label, height - 0.5))
            draw(axes, panel, looks)
            _scale(axes, panel)
        size = SMALL if len(plot.names) > MANY else SIZE
        characters = characters_in(_column(width, len(plot.names)), size)
        legend_below(figure, _entries(every, plot.names, marks or {}, characters), size)
    return figure


def shown(points: Sequence[Point], panel: Panel) -> dict[str, list[float]]:
    """The coordinates of points in the units of the picture, and their spread; not a number where there is none.

    >>> from samcli.report.plot import Quantity
    >>> panel = Panel("", Quantity("epoch", "epoch"), Quantity("test_accuracy", "", 100.0), ())
    >>> shown([Point(3.0, 0.5, y_sd=0.25)], panel)
    {'x': [3.0], 'y': [50.0], 'x_sd': [nan], 'y_sd': [25.0]}
    """

    def scaled(values: Sequence[float | None], factor: float) -> list[float]:
        return [math.nan if value is None else factor * value for value in values]

    return {
        "x": scaled([point.x for point in points], panel.x.factor),
        "y": scaled([point.y for point in points], panel.y.factor),
        "x_sd": scaled([point.x_sd for point in points], panel.x.factor),
        "y_sd": scaled([point.y_sd for point in points], panel.y.factor),
    }


def _filled(text: str, inches: float) -> str:
    return fill(in_picture(text), max(characters_in(inches), FEWEST_CHARACTERS))


def _column(width: float, entries: int) -> float:
    """The width of a column of the legend, in inches: many entries stand in as many columns as there is room for."""
    return width / max(1, int(width / NARROWEST)) if entries > MANY else width


def _entries(every: Sequence[Axes], names: Sequence[str], marks: Mapping[str, str], characters: int) -> list[Any]:
    """What the legend shows, one for each name, which is filled to so many characters with its marker."""
    found: dict[str, Any] = {}
    for axes in every:
        for handle, name in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(name, handle)
    entries = []
    for name in names:
        entry, words = found[in_picture(name)], in_picture(f"{name} {marks[name]}" if name in marks else name)
        entry.set_label(fill(words, characters - CHARACTERS_OF_MARKER, drop_whitespace=False))
        entries.append(entry)
    return entries


def _scale(axes: Axes, panel: Panel) -> None:
    """Make the axes logarithmic that are to be; a spread that reaches to zero does not stretch them."""
    for letter, about, values in (
        ("x", panel.x, [point.x for one in panel.series for point in one.points if point.x is not None]),
        ("y", panel.y, [point.y for one in panel.series for point in one.points]),
    ):
        if about.is_logarithmic:
            make_logarithmic(axes, letter, math.log10(max(values) / min(values)))
    if panel.y.is_logarithmic:
        axes.set_ylim(bottom=panel.y.factor * min(values) / 1.5)
