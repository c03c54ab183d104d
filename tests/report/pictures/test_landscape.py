"""Pictures: that they show the numbers, and that the files are what they are called."""

import io
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from samcli.report.palette import COLOURS
from samcli.report.pictures import encode
from samcli.report.pictures import landscape as pictures
from samcli.report.pictures._figure import DPI
from samcli.report.pictures.landscape import Labels, draw_curves, draw_line, draw_panels
from samcli.sharpness import Landscape

AXIS = (-1.0, -0.5, 0.0, 0.5, 1.0)
CONFIG = {"dataset": {"name": "digits"}, "model": {"name": "cnn"}, "optimizer": {"name": "sgd"}, "seeds": 0}
LABELS = Labels(("Training loss somewhere", "digits, cnn"), "cross-entropy in nats", ("first axis", "second axis"))


def curve(scale: float = 1.0, low: float = 0.5) -> Landscape:
    return Landscape((AXIS,), low + scale * torch.tensor(AXIS, dtype=torch.float64).square(), 100)


def bowl(scale: float = 1.0, low: float = 0.5) -> Landscape:
    square = torch.tensor(AXIS, dtype=torch.float64).square()
    return Landscape((AXIS, AXIS), low + scale * (square[:, None] + 2 * square), 100)


PICTURES: dict[str, Callable[[], Figure]] = {
    "curves": lambda: draw_curves([curve(), curve(2.0)], [("sgd", "seed 0"), ("sam rho=0.1", "seed 0")], LABELS),
    "panels": lambda: draw_panels([bowl(), bowl(2.0)], [("sgd", "seed 0"), ("sam rho=0.1", "seed 0")], LABELS),
    "line": lambda: draw_line({"train": curve(), "test": curve(2.0)}, ("sgd seed 0", "sam rho=0.1 seed 0"), LABELS),
}


@pytest.mark.parametrize("name", PICTURES)
def test_files(name: str) -> None:
    figure = PICTURES[name]()
    png, svg, pdf = (encode(figure, form) for form in ("png", "svg", "pdf"))
    with Image.open(io.BytesIO(png)) as image:
        assert image.size == tuple(int(DPI * side) for side in figure.get_size_inches())
        drawn = (np.asarray(image.convert("L")) < 250).mean()
    assert 0.02 < drawn < 0.8  # neither empty nor full
    assert pdf.startswith(b"%PDF")
    text = svg.decode()
    for word in ("Training loss somewhere", "digits, cnn", "cross-entropy in nats", "first axis", "sam rho=0.1"):
        assert f">{word}" in text
    assert ("second axis" in text) == (name == "panels")
    again = PICTURES[name]()
    assert [encode(again, form) for form in ("png", "svg", "pdf")] == [png, svg, pdf]


def test_runs_that_differ_in_the_seed_share_a_colour_and_a_line_of_the_legend() -> None:
    names = [("sgd", "seed 0"), ("sam", "seed 0"), ("sgd", "seed 1")]
    figure = draw_curves([curve(1.0), curve(2.0), curve(3.0)], names, LABELS)
    lines = figure.axes[0].lines[:3]
    assert [line.get_color() for line in lines] == [COLOURS[0]] + [COLOURS[1]] * 2
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["sam seed 0", "sgd, 2 runs"]
    for line, scale in zip(lines, (2.0, 1.0, 3.0), strict=True):
        assert np.array_equal(line.get_xydata(), np.stack([AXIS, curve(scale).losses.numpy()], axis=1))


def test_more_groups_than_colours_differ_in_their_strokes() -> None:
    names = [(f"optimizer {number}", "seed 0") for number in range(10)]
    lines = draw_curves([curve()] * 10, names, LABELS).axes[0].lines[:10]
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 10


@pytest.mark.parametrize(("low", "scale"), [(0.5, "linear"), (0.02, "linear"), (0.005, "log"), (0.0, "linear")])
def test_logarithmic_over_more_than_two_decades(low: float, scale: str) -> None:
    """A curve from low to low + 1, and a loss of zero, which has no logarithm."""
    assert draw_curves([curve(1.0, low)], [("sgd", "seed 0")], LABELS).axes[0].get_yscale() == scale


def test_panels_share_levels_that_hold_all_losses() -> None:
    figure = draw_panels([bowl(1.0), bowl(9.0, 0.01)], [("sgd", "seed 0"), ("sam", "seed 0")], LABELS)
    filled = [axes.collections[0] for axes in figure.axes[:2]]
    first, second = (part.levels.tolist() for part in filled)
    assert first == second
    assert {0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0} <= set(first)
    assert [axes.get_title() for axes in figure.axes[:2]] == ["sgd seed 0", "sam seed 0"]
    assert figure.axes[2].get_ylabel() == "cross-entropy in nats"


def test_a_flat_panel_beside_a_steep_one_shows_its_shape() -> None:
    """A collapsed network, which varies by 2 % of its loss, beside one that falls from 50 to 0.01."""
    flat = Landscape((AXIS, AXIS), 2.3 + 0.002 * bowl(1.0).losses, 100)
    figure = draw_panels([bowl(9.0, 0.01), flat], [("sgd", "seed 0"), ("sam", "seed 0")], LABELS)
    for axes, landscape in zip(figure.axes[:2], (bowl(9.0, 0.01), flat), strict=True):
        low, high = float(landscape.losses.min()), float(landscape.losses.max())
        levels = axes.collections[0].levels
        assert sum(low < level < high for level in levels) >= 4
        colours = {
            tuple(colour)
            for colour, path in zip(axes.collections[0].get_facecolors(), axes.collections[0].get_paths(), strict=True)
            if len(path.vertices)
        }
        assert len(colours) >= 5
    ticks = figure.axes[2].get_yticks()
    assert len(ticks) <= 18
    assert {ticks[0], ticks[-1]} == {levels[0], levels[-1]}


def test_first_coordinate_is_the_horizontal_one() -> None:
    tilted = Landscape((AXIS, AXIS), torch.tensor(AXIS, dtype=torch.float64)[:, None].expand(5, 5) + 2.0, 100)
    lines = draw_panels([tilted], [("sgd", "seed 0")], LABELS).axes[0].collections[1]
    inside = [path.vertices for path in lines.get_paths() if len(path.vertices)]
    assert inside
    for vertices in inside:
        assert np.ptp(vertices[:, 0]) < 1e-12  # upright
        assert np.ptp(vertices[:, 1]) == 2.0


@pytest.mark.parametrize("values", [[math.nan, math.inf, 1.0], [math.nan], [0.0], [0.7], [1e-3 * (1 - 1e-16), 1e9]])
def test_losses_that_are_not_finite_or_all_the_same(values: list[float]) -> None:
    """Gaps in the picture, and no warning."""
    losses = torch.tensor(values, dtype=torch.float64).repeat(25)[:25]
    names = [("sgd", "seed 0")]
    encode(draw_panels([Landscape((AXIS, AXIS), losses.reshape(5, 5), 100)], names, LABELS), "png")
    encode(draw_curves([Landscape((AXIS,), losses[:5], 100)], names, LABELS), "png")


def test_words_say_what_is_measured() -> None:
    labels = pictures.slice_labels([CONFIG] * 2, [bowl(), bowl()], "cross-entropy in nats", "random", 3)
    assert labels.title == (
        "Training loss in a plane of two filter-normalised random directions",
        "digits, cnn; 100 training examples, evaluation mode, --seed 3",
    )
    labels = pictures.slice_labels([CONFIG], [curve()], "mean squared error", "leading", 0)
    assert labels.title[0] == "Training loss along the leading Hessian eigenvector"
    assert labels.axes[0] == "α, distance along eigenvector 1"
    test = Landscape((AXIS,), curve().losses, 30)
    labels = pictures.line_labels([CONFIG] * 2, {"train": curve(), "test": test}, "loss", 0)
    assert "100 train and 30 test examples" in labels.title[1]
