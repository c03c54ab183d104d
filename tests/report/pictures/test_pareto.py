"""Cost and metric: points with error bars, and the front with its names."""

import pytest
from matplotlib.container import ErrorbarContainer

from samcli.report.pictures.pareto import draw_pareto
from samcli.report.plot import Panel, Plot, Point, Quantity, Series, quantity


def plot(panels: int = 1) -> Plot:
    series = (
        Series("asam", (Point(2.0, 0.9, 0.2, 0.02, n=3),), on_front=True),
        Series("esam", (Point(1.5, 0.6, 0.1, 0.03, n=3),)),
        Series("sam", (Point(2.0, 0.9, 0.1, 0.01, n=3),), on_front=True),
        Series("sgd", (Point(1.0, 0.7, n=1),), on_front=True),
    )
    panel = Panel("digits, cnn", Quantity("cost", "cost"), quantity("test_accuracy"), series)
    return Plot("Title", "caption", (panel,) * panels, ())


@pytest.mark.parametrize("panels", [1, 2])
def test_points_bars_and_front_are_the_numbers(panels: int) -> None:
    figure = draw_pareto(plot(panels), 5.5)
    for axes in figure.axes:
        bars = [one for one in axes.containers if isinstance(one, ErrorbarContainer)]
        points = [one.lines[0].get_xydata().tolist()[0] for one in bars]
        assert points == [pytest.approx(point) for point in ([2.0, 90.0], [1.5, 60.0], [2.0, 90.0], [1.0, 70.0])]
        along, across = (part.get_segments()[0] for part in bars[0].lines[2])
        assert along[:, 0] == pytest.approx([1.8, 2.2])
        assert across[:, 1] == pytest.approx([88.0, 92.0])
        assert axes.lines[-1].get_xydata().tolist() == [[1.0, 70.0], [2.0, 90.0], [2.0, 90.0]]
        assert [(text.get_text(), text.xy) for text in axes.texts] == [("1", (1.0, 70.0)), ("2, 3", (2.0, 90.0))]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["asam (2)", "esam", "sam (3)", "sgd (1)"]
