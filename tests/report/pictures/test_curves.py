"""Curves with bands: that what is drawn are the numbers."""

import numpy as np

from samcli.report.pictures._figure import encode
from samcli.report.pictures.curves import draw_curves
from samcli.report.plot import Panel, Plot, Point, Quantity, Series, quantity

SERIES = (
    Series("sam", (Point(10.0, 0.5, y_sd=0.1, n=2), Point(20.0, 0.75, y_sd=0.05, n=2))),
    Series("sgd", (Point(10.0, 0.25),)),
)


def plot(logarithmic: bool = False, column: str = "test_accuracy") -> Plot:
    panel = Panel("digits, cnn", Quantity("x", "x"), quantity(column, is_logarithmic=logarithmic), SERIES)
    return Plot("Title", "caption", (panel,), ())


def test_lines_and_bands_are_the_numbers() -> None:
    (axes,) = draw_curves(plot(), 5.5).axes
    sam, sgd = axes.lines
    assert sam.get_xydata().tolist() == [[10.0, 50.0], [20.0, 75.0]]
    assert sgd.get_xydata().tolist() == [[10.0, 25.0]]
    (band,) = axes.collections  # none for one seed
    corners = {(float(x), round(float(y), 9)) for x, y in band.get_paths()[0].vertices}
    assert corners == {(10.0, 40.0), (10.0, 60.0), (20.0, 70.0), (20.0, 80.0)}
    assert np.array_equal(band.get_facecolor()[0][:3], axes.collections[0].get_facecolor()[0][:3])
    assert sam.get_color() != sgd.get_color()
    assert sgd.get_marker() != "None"  # a single point is seen


def test_a_logarithmic_axis_is_not_stretched_by_a_band_that_reaches_zero() -> None:
    figure = draw_curves(plot(logarithmic=True, column="test_loss"), 5.5)
    (axes,) = figure.axes
    encode(figure, "png")
    assert axes.get_yscale() == "log"
    low, high = axes.get_ylim()
    assert 0.1 < low < 0.25
    assert 0.75 < high < 2.0
