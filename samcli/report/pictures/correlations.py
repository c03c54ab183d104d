"""Pictures of runs: each measure of sharpness against the generalisation gap, or against another metric."""

from __future__ import annotations

import math
from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator

from samcli.metrics import is_share, score_among, title
from samcli.report.cells import probability
from samcli.report.correlation import Correlation
from samcli.report.palette import COLOURS, MARKERS
from samcli.report.pictures._figure import (
    CHARACTERS,
    TICKS,
    in_picture,
    joined_by_or,
    legend_below,
    legend_groups,
    make_logarithmic,
    titled_figure,
)
from samcli.report.settings import captions, dataset_and_model
from samcli.runs.reader import Run
from samcli.words import count, joined

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 4
DECADES_FOR_LOG = 1.0
CHARACTERS_BESIDE_PANEL = 20  # in a line of the label of its vertical axis


def draw_correlations(
    found: Sequence[Correlation], runs: Sequence[Run], metric: str | None = None, hold: Sequence[str] = ()
) -> Figure:
    """A panel for each measure, a point for each run; runs that differ in the seed alone share colour and marker.

    Args:
        found: the correlations, as `samcli.report.correlate` gives them.
        runs: the runs they are over, and possibly others.
        metric: the column they are with; None is the generalisation gap.
        hold: the settings that were held fixed.

    >>> from samcli.report.example import example_runs
    >>> from samcli.stats import kendall
    >>> runs = example_runs()
    >>> pairs = {run.folder: (sharpness, 0.2) for run, sharpness in zip(runs, (8.0, 9.0, 2.0, 3.0), strict=True)}
    >>> found = Correlation("trace", 1000, pairs, kendall([8.0, 9.0, 2.0, 3.0], [0.2] * 4), unconverged=0)
    >>> [text.get_text() for text in draw_correlations([found], runs).legends[0].get_texts()]
    ['sam rho=0.05, 2 runs', 'sgd, 2 runs']
    """
    runs = [run for run in runs if any(run.folder in one.pairs for one in found)]
    names = captions([run.config for run in runs])
    label, factor = _vertical_axis(runs, metric)
    columns = min(COLUMNS, len(found))
    rows = -(-len(found) // columns)
    width, height = max(6.0, 0.6 + 2.2 * columns), 0.7 + 1.9 * rows
    with titled_figure(_title(found, runs, metric, hold), width, height) as figure:
        panels = list(figure.subplots(rows, columns, sharey=True, squeeze=False).flat)
        for axes in panels[::columns]:
            axes.set_ylabel(fill(in_picture(label), CHARACTERS_BESIDE_PANEL))
        for axes in panels[len(found) :]:
            axes.remove()
        for number, (name, members) in enumerate(legend_groups(names).items()):
            style = {"color": COLOURS[number % len(COLOURS)], "markeredgecolor": "white"}
            for axes, one in zip(panels, found, strict=False):
                pairs = [one.pairs[runs[run].folder] for run in members if runs[run].folder in one.pairs]
                points = axes.plot(
                    [x for x, _ in pairs], [factor * y for _, y in pairs], MARKERS[number % len(MARKERS)], **style
                )
                points[0].set(label=fill(name, 2 * CHARACTERS), markeredgewidth=0.4)
        for axes, one in zip(panels, found, strict=False):
            axes.set_title(f"{fill(in_picture(one.measure), CHARACTERS)}\n{_tau(one, len(runs))}")
            _scale(axes, [x for x, _ in one.pairs.values()])
        legend_below(figure, panels[0].get_lines())
    return figure


def _title(
    found: Sequence[Correlation], runs: Sequence[Run], metric: str | None, hold: Sequence[str]
) -> tuple[str, str]:
    other = "generalisation gap" if metric is None else title(metric).removesuffix(" in %")
    examples = joined_by_or(str(one.examples) for one in found)
    where = joined_by_or(dataset_and_model(run.config) for run in runs)
    level = joined_by_or(f"{100 * one.correlation.confidence:g} %" for one in found)
    how = f"among runs of the same {joined(hold)}" if hold else f"with {level} interval"
    return (
        f"Sharpness and {other} of {count(len(runs), 'run')} after their last epoch",
        f"{where}; sharpness on {examples} training examples; Kendall's τ {how}",
    )


def _vertical_axis(runs: Sequence[Run], metric: str | None) -> tuple[str, float]:
    """The label of the vertical axis, and the factor from the values to its unit."""
    if metric is not None:
        return title(metric), 100.0 if is_share(metric) else 1.0
    scores = {score_among(run.columns) for run in runs}
    if len(scores) > 1:
        return "training less test score", 1.0
    (score,) = scores
    words = f"training less test {score.words}" if score.higher_is_better else f"test less training {score.words}"
    return (f"{words}, % points", 100.0) if score.is_share else (words, 1.0)


def _tau(one: Correlation, runs: int) -> str:
    """Kendall's τ with its interval, and the number of runs where it is not that of the whole picture."""
    found = one.correlation
    if found.tau is None:
        return "no τ: all are equal" if found.n or not one.pairs else "no τ: none are alike"
    interval = "" if found.low is None or found.high is None else f" [{found.low:.2f}, {found.high:.2f}]"
    interval = interval if found.p is None else f", p {probability(found.p)}"
    return f"τ = {found.tau:.2f}{interval}" + (f", n = {found.n}" if found.n < runs else "")


def _scale(axes: Axes, values: Sequence[float]) -> None:
    """Make the axis of positive values over more than a decade logarithmic, and put some round numbers on any."""
    low, high = min(values), max(values)
    decades = math.log10(high / low) if low > 0.0 else 0.0
    if decades > DECADES_FOR_LOG:
        make_logarithmic(axes, "x", decades)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(TICKS))
