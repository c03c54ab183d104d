"""Test scores against sharpness: a point for each run, where it belongs."""

from samcli.report.pictures.sharpness import draw_sharpness
from samcli.report.plot import Panel, Plot, Point, Quantity, Series, quantity


def test_points_are_the_runs() -> None:
    series = (
        Series("sam", (Point(0.01, 0.75, seed=0), Point(0.02, 0.5, seed=1))),
        Series("sgd", (Point(0.5, 0.25, seed=0),)),
    )
    x = Quantity("sharpness", "sharpness", is_logarithmic=True)
    plot = Plot("Title", "caption", (Panel("digits, cnn", x, quantity("test_accuracy"), series),), ())
    (axes,) = draw_sharpness(plot, 3.3).axes
    assert axes.get_xscale() == "log"
    sam, sgd = axes.lines
    assert sam.get_xydata().tolist() == [[0.01, 75.0], [0.02, 50.0]]
    assert sgd.get_xydata().tolist() == [[0.5, 25.0]]
    assert {line.get_linestyle() for line in axes.lines} == {"None"}
    assert sam.get_marker() != sgd.get_marker()
