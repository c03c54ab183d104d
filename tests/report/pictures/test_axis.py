"""A metric along an option: lines with error bars, levels with bands, and the numbers on the axis."""

import pytest
from matplotlib.container import ErrorbarContainer

from samcli.report.pictures.axis import draw_axis
from samcli.report.plot import Panel, Plot, Point, Quantity, Series, quantity


def plot(*values: float, logarithmic: bool = True) -> Plot:
    sam = Series("sam", tuple(Point(x, 0.8, y_sd=0.02, n=3) for x in values))
    sgd = Series("sgd", (Point(None, 0.7, y_sd=0.01, n=3),))
    x = Quantity("optimizer.rho", "rho", is_logarithmic=logarithmic)
    return Plot("Title", "caption", (Panel("digits, cnn", x, quantity("test_accuracy"), (sam, sgd)),), ())


def test_bars_and_levels_are_the_numbers() -> None:
    figure = draw_axis(plot(0.05, 0.5), 5.5)
    (axes,) = figure.axes
    (bars,) = (one for one in axes.containers if isinstance(one, ErrorbarContainer))
    line, _, (segments,) = bars.lines
    assert line.get_xydata().tolist() == [[0.05, 80.0], [0.5, 80.0]]
    assert [segment[:, 1] for segment in segments.get_segments()] == [pytest.approx([78.0, 82.0])] * 2
    level = axes.lines[-1]
    assert level.get_ydata() == [70.0, 70.0]
    (band,) = axes.patches
    assert (band.get_y(), band.get_y() + band.get_height()) == pytest.approx((69.0, 71.0))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["sam", "sgd"]


@pytest.mark.parametrize(
    ("values", "logarithmic", "ticks"),
    [
        ((0.05, 0.1, 0.4), True, [0.05, 0.1, 0.4]),
        ((0.0, 0.2, 0.21, 0.4), False, [0.0, 0.2, 0.4]),
        ((0.01, 0.011, 1.0), True, [0.01, 1.0]),
    ],
)
def test_the_numbers_on_the_axis_are_the_values_that_were_run(
    values: tuple[float, ...], logarithmic: bool, ticks: list[float]
) -> None:
    figure = draw_axis(plot(*values, logarithmic=logarithmic), 5.5)
    figure.draw_without_rendering()
    (axes,) = figure.axes
    assert axes.get_xscale() == ("log" if logarithmic else "linear")
    assert axes.get_xticks().tolist() == ticks
    assert [text.get_text() for text in axes.get_xticklabels()] == [f"{tick:g}" for tick in ticks]
