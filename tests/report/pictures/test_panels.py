"""What all plots of runs share: panels, looks, the legend, names, and files."""

import io
import re
from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from samcli.report.pictures import encode
from samcli.report.pictures._figure import DPI
from samcli.report.pictures._panels import MANY, SMALL, look_of
from samcli.report.pictures.axis import draw_axis
from samcli.report.pictures.curves import draw_curves
from samcli.report.pictures.pareto import draw_pareto
from samcli.report.pictures.sharpness import draw_sharpness
from samcli.report.plot import Panel, Plot, Point, Quantity, Series, quantity

NAME = "\x1b[31m_evil\u202e|$x$_\\input{y}[red]\r\n<script>"
DRAW = {"curves": draw_curves, "axis": draw_axis, "cost": draw_pareto, "sharpness": draw_sharpness}


def plot(names: tuple[str, ...] = ("sam rho=0.1", "sgd"), panels: int = 1, where: str = "digits, cnn") -> Plot:
    series = tuple(
        Series(
            name,
            tuple(Point(float(x), 0.5 + 0.01 * number + 0.1 * x, 0.1, 0.05, n=3) for x in range(1, 4)),
            on_front=True,
        )
        for number, name in enumerate(names)
    )
    several = tuple(Panel(where, Quantity("epoch", "epoch"), quantity("test_accuracy"), series) for _ in range(panels))
    return Plot("Test accuracy over epochs", "mean over 3 seeds", several, ())


Drawing = Callable[[Plot, float], Figure]


@pytest.mark.parametrize("draw", DRAW.values(), ids=DRAW)
def test_files(draw: Drawing) -> None:
    figure = draw(plot(), 5.5)
    png, svg, pdf = (encode(figure, form) for form in ("png", "svg", "pdf"))
    with Image.open(io.BytesIO(png)) as image:
        assert image.size == tuple(int(DPI * side) for side in figure.get_size_inches())
        drawn = (np.asarray(image.convert("L")) < 250).mean()
    assert 0.01 < drawn < 0.5
    for word in ("Test accuracy over epochs", "digits, cnn; mean over 3 seeds", "test accuracy in %", "sam rho=0.1"):
        assert f">{word}" in svg.decode()
    assert b"/FontFile2" in pdf  # TrueType, embedded
    assert b"/Type3" not in pdf
    again = draw(plot(), 5.5)
    assert [encode(again, form) for form in ("png", "svg", "pdf")] == [png, svg, pdf]


@pytest.mark.parametrize("draw", DRAW.values(), ids=DRAW)
def test_names_are_no_formulas_and_hide_nothing(draw: Drawing) -> None:
    figure = draw(plot((NAME, "_sgd", "$\\frac{$"), where=NAME), 3.3)
    assert len(figure.legends[0].get_texts()) == 3
    svg = encode(figure, "svg").decode()
    assert "<script>" not in svg
    assert "\x1b" not in svg
    assert "$\\frac{$" in svg
    encode(figure, "png")


def test_no_two_of_thirty_lines_look_alike_in_colour_or_in_black_and_white() -> None:
    looks = [look_of(number) for number in range(30)]
    assert len({(look["color"], look["linestyle"], look["marker"]) for look in looks}) == 30
    grey = [(look["linestyle"], look["marker"]) for look in looks[:8]]
    assert len(set(grey)) == 8


@pytest.mark.parametrize(
    ("panels", "width", "columns"), [(1, 3.3, 1), (2, 3.3, 1), (2, 5.5, 2), (3, 6.75, 3), (4, 6.75, 2), (6, 6.75, 3)]
)
def test_panels_stand_side_by_side_where_there_is_room(panels: int, width: float, columns: int) -> None:
    figure = draw_curves(plot(panels=panels), width)
    encode(figure, "png")
    assert figure.get_figwidth() == width
    assert len(figure.axes) == panels
    assert len({round(axes.get_position().x0, 2) for axes in figure.axes}) == columns
    assert all(axes.get_position().height * figure.get_figheight() > 1.0 for axes in figure.axes)
    assert [axes.get_title() for axes in figure.axes] == (["digits, cnn"] * panels if panels > 1 else [""])


@pytest.mark.parametrize("width", [3.3, 5.5, 6.75])
@pytest.mark.parametrize("number", [2, MANY + 1, 30])
def test_nothing_is_cut_off_and_no_legend_squeezes_a_panel(number: int, width: float) -> None:
    names = tuple(f"sam rho=0.{index} gamma=0.5 beta=0.{index}" for index in range(number))
    figure = draw_curves(plot(names), width)
    figure.draw_without_rendering()
    (legend,) = figure.legends
    box = legend.get_window_extent()
    assert box.x0 >= 0.0
    assert box.y0 >= 0.0
    assert box.x1 <= figure.bbox.x1
    (axes,) = figure.axes
    assert axes.get_position().height * figure.get_figheight() > 1.2
    sizes = {text.get_fontsize() for text in legend.get_texts()}
    assert (sizes == {SMALL}) == (number > MANY)
    shown = [re.sub(r"\s+", " ", text.get_text()) for text in legend.get_texts()]
    assert shown == list(names)
