"""Pictures of sharpness against the gap: that they show each run where it belongs, and say what is shown."""

import dataclasses
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from samcli.report.correlation import Correlation
from samcli.report.palette import COLOURS, MARKERS
from samcli.report.pictures import encode
from samcli.report.pictures._figure import DPI
from samcli.report.pictures.correlations import draw_correlations
from samcli.runs import Run
from samcli.stats import kendall, kendall_within

GAPS = (0.11, 0.12, 0.13, 0.14, 0.15, 0.16)


def run(number: int, batch_size: int, score: str = "accuracy") -> Run:
    config: dict[str, Any] = {
        "dataset": {"name": "digits"},
        "model": {"name": "cnn"},
        "optimizer": {"name": "sgd", "lr": 0.1},
        "batch_size": batch_size,
        "seeds": number % 2,
    }
    metrics = pd.DataFrame({"epoch": [1], f"train_{score}": [0.9], f"test_{score}": [0.8]})
    return Run(Path(f"run{number}"), "trial", config, {"status": "finished"}, list(metrics), metrics.to_numpy(float))


RUNS = [run(number, (512, 32, 128)[number // 2]) for number in range(6)]


def correlation(name: str, sharpness: Sequence[float], runs: Sequence[Run] = RUNS, examples: int = 100) -> Correlation:
    """Of the first runs, as many as there are values."""
    pairs = {one.folder: (x, y) for one, x, y in zip(runs, sharpness, GAPS, strict=False)}
    tau = kendall([x for x, _ in pairs.values()], [y for _, y in pairs.values()])
    return Correlation(name, examples, pairs, tau, 0)


def legend(figure: Figure) -> list[str]:
    (only,) = figure.legends
    return [text.get_text() for text in only.get_texts()]


def test_a_panel_for_each_measure_and_a_point_for_each_run() -> None:
    """Colours go by the size of the batch, not by the order of the runs; the gap is in percentage points."""
    found = [correlation("trace", (3.0, 2.0, 1.0, 6.0, 5.0, 4.0)), correlation("keskar", (1.0, 2.0, 3.0, 4.0, 5.0))]
    figure = draw_correlations(found, RUNS)
    assert legend(figure) == [f"sgd batch_size={size}, 2 runs" for size in (32, 128, 512)]
    assert len(figure.axes) == 2
    for axes, numbers in zip(figure.axes, ([(2, 3), (4, 5), (0, 1)], [(2, 3), (4,), (0, 1)]), strict=True):
        one = found[figure.axes.index(axes)]
        assert [line.get_color() for line in axes.lines] == list(COLOURS[:3])
        assert [line.get_marker() for line in axes.lines] == list(MARKERS[:3])
        for line, members in zip(axes.lines, numbers, strict=True):
            x, y = np.array([one.pairs[RUNS[number].folder] for number in members]).T
            assert np.array_equal(line.get_xdata(), x)
            assert np.array_equal(line.get_ydata(), 100.0 * y)


def test_words() -> None:
    """Two triples that fall, the second above the first: 9 pairs of 15 rank as the gaps do, hence τ = 3/15."""
    all_runs = correlation("trace", (3.0, 2.0, 1.0, 6.0, 5.0, 4.0))
    few, same = correlation("keskar", (1.0, 2.0, 3.0, 4.0, 5.0)), correlation("lambda-max", [2.0] * 6, examples=50)
    figure = draw_correlations([all_runs, few, same], RUNS)
    assert figure.get_suptitle().replace("\n", " ") == (
        "Sharpness and generalisation gap of 6 runs after their last epoch "
        "digits, cnn; sharpness on 100 or 50 training examples; Kendall's τ with 95 % interval"
    )
    assert [axes.get_title() for axes in figure.axes] == [
        "trace\nτ = 0.20 [-0.61, 0.81]",
        "keskar\nτ = 1.00, n = 5",
        "lambda-max\nno τ: all are equal",
    ]
    assert figure.axes[0].get_ylabel().replace("\n", " ") == "training less test accuracy, % points"


@pytest.mark.parametrize(
    ("score", "metric", "label", "factor"),
    [
        ("accuracy", "test_accuracy", "test accuracy in %", 100.0),
        ("accuracy", "grad_norm", "grad norm", 1.0),
        ("r2", None, "training less test R²", 1.0),
    ],
)
def test_units_of_the_vertical_axis(score: str, metric: str | None, label: str, factor: float) -> None:
    runs = [run(number, 32, score) for number in range(6)]
    figure = draw_correlations([correlation("trace", range(1, 7), runs)], runs, metric)
    (axes,) = figure.axes
    assert axes.get_ylabel().replace("\n", " ") == label
    assert np.array_equal(axes.lines[0].get_ydata(), factor * np.array(GAPS))
    assert (metric or "generalisation gap").replace("_", " ") in figure.get_suptitle()


def test_scores_of_two_kinds_share_no_unit() -> None:
    runs = [*RUNS[:3], *(run(number, 32, "r2") for number in range(3, 6))]
    (axes,) = draw_correlations([correlation("trace", range(1, 7), runs)], runs).axes
    assert axes.get_ylabel().replace("\n", " ") == "training less test score"
    assert max(y for line in axes.lines for y in line.get_ydata()) == max(GAPS)


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ((1.0, 9.9), "linear"),
        ((1.0, 10.1), "log"),
        ((1e-6, 1e6), "log"),
        ((0.0, 10.1), "linear"),
        ((-1.0, 99.0), "linear"),
    ],
)
def test_logarithmic_over_more_than_a_decade(values: tuple[float, float], scale: str) -> None:
    figure = draw_correlations([correlation("trace", (*values, *[2.0] * 4))], RUNS)
    (axes,) = figure.axes
    assert axes.get_xscale() == scale
    encode(figure, "svg")
    low, high = axes.get_xlim()
    ticks = zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
    shown = [label.get_text() for tick, label in ticks if low <= tick <= high]
    assert 2 <= len(shown) <= 6
    assert all(shown)


def test_files() -> None:
    """Panels in rows of four, the names of all measures to be searched for, and the same bytes each time."""

    def draw() -> Figure:
        return draw_correlations([correlation(f"measure-{n}", (n, 2.0, 1.0, 6.0, 5.0, 4.0)) for n in range(5)], RUNS)

    figure = draw()
    png, svg, pdf = (encode(figure, form) for form in ("png", "svg", "pdf"))
    with Image.open(io.BytesIO(png)) as image:
        assert image.size == tuple(int(DPI * side) for side in figure.get_size_inches())
        drawn = (np.asarray(image.convert("L")) < 250).mean()
    assert 0.01 < drawn < 0.5
    assert pdf.startswith(b"%PDF")
    for word in [*(f"measure-{n}" for n in range(5)), "sgd batch_size=32, 2 runs", "Sharpness and generalisation gap"]:
        assert f">{word}" in svg.decode()
    tops = [round(axes.get_position().y1, 3) for axes in figure.axes]
    assert len(set(tops)) == 2
    assert tops[0] == tops[3] > tops[4]
    again = draw()
    assert [encode(again, form) for form in ("png", "svg", "pdf")] == [png, svg, pdf]


def test_a_long_legend_takes_nothing_from_the_panels() -> None:
    runs = [run(2 * number, 2**number) for number in range(60)]
    values = np.arange(60.0)
    pairs = {one.folder: (x, x) for one, x in zip(runs, values.tolist(), strict=True)}
    figure = draw_correlations([Correlation("trace", 100, pairs, kendall(values, values), 0)], runs)
    encode(figure, "png")
    (axes,) = figure.axes
    assert axes.get_position().height * figure.get_figheight() > 1.0
    styles = {(line.get_color(), line.get_marker()) for line in axes.lines}
    assert len(styles) == len(COLOURS) * len(MARKERS)  # before they come back


def test_words_of_what_is_held_fixed() -> None:
    """Two batches of three: in each the values fall as the gaps rise, hence τ = -1 and the p of 2 in 36 orders."""
    within = kendall_within((3.0, 2.0, 1.0, 6.0, 5.0, 4.0), GAPS[:6], list("aaabbb"))
    found = dataclasses.replace(correlation("trace", (3.0, 2.0, 1.0, 6.0, 5.0, 4.0)), correlation=within)
    alone = dataclasses.replace(found, correlation=kendall_within((3.0, 2.0), GAPS[:2], list("ab")))
    figure = draw_correlations([found, alone], RUNS, hold=["lr", "rho"])
    assert figure.get_suptitle().replace("\n", " ").endswith("Kendall's τ among runs of the same lr and rho")
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[0] == "trace\nτ = -1.00, p 0.0556"
    assert titles[1] == "trace\nno τ: none are alike"
