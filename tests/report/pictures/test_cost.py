"""Time against passes: points with bars, and the line on which they are in step."""

import pytest
from matplotlib.container import ErrorbarContainer

from samcli.report.pictures.cost import draw_cost
from samcli.report.plot import Panel, Plot, Point, Quantity, Series


def test_points_bars_and_the_line() -> None:
    series = (Series("sam", (Point(2.0, 2.3, 0.0, 0.1, n=3),)), Series("sgd", (Point(1.0, 1.0, n=1),)))
    panel = Panel("digits, cnn", Quantity("gradients", "passes"), Quantity("seconds", "time"), series)
    figure = draw_cost(Plot("Title", "caption", (panel,), ()), 4.0)
    (axes,) = figure.axes
    bars = [one for one in axes.containers if isinstance(one, ErrorbarContainer)]
    assert [one.lines[0].get_xydata().tolist()[0] for one in bars] == [[2.0, 2.3], [1.0, 1.0]]
    _, across = (part.get_segments()[0] for part in bars[0].lines[2])
    assert across[:, 1] == pytest.approx([2.2, 2.4])
    assert axes.lines[-1].get_xy1() == (1.0, 1.0)  # type: ignore[attr-defined]
    assert axes.lines[-1].get_slope() == 1.0  # type: ignore[attr-defined]


def test_equal_compute_is_not_spread_over_thousandths() -> None:
    series = (Series("sam", (Point(0.999, 1.1, n=1),)), Series("sgd", (Point(1.0, 1.0, n=1),)))
    panel = Panel("digits, cnn", Quantity("gradients", "passes"), Quantity("seconds", "time"), series)
    low, high = draw_cost(Plot("Title", "caption", (panel,), ()), 4.0).axes[0].get_xlim()
    assert low <= 0.9 and high >= 1.1
