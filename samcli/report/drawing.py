"""The kinds of figures: which numbers each shows, and how they are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from samcli.report.plot import Plot
from samcli.runs.reader import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

AXES = {"axis": "", "rho": "optimizer.rho", "noise": "dataset.label_noise"}
KINDS = ("curves", *AXES, "cost", "pareto", "sharpness", "landscape")


def numbers(
    kind: str,
    runs: Sequence[Run],
    *,
    metric: str | None = None,
    over: str | None = None,
    axis: str | None = None,
    baseline: str = "sgd",
) -> Plot:
    """What a figure of a kind shows of runs.

    Args:
        kind: one of `KINDS`.
        runs: any.
        metric: the column, or a kept measure; None for the test score, of the kind `sharpness` for the sharpness.
        over: what curves go over, and what cost is counted in: epochs, gradients or seconds.
        axis: of the kind `axis` the option that it goes along.
        baseline: what costs 1.

    Raises:
        ConfigError: the runs have nothing of this kind.

    >>> from samcli.report.example import example_runs
    >>> len(numbers("curves", example_runs()).panels)
    1
    """
    from samcli.report import plots

    if kind in AXES:
        return plots.along_axis(runs, axis or AXES[kind], metric)
    if kind == "cost":
        return plots.costs(runs, baseline)
    if kind == "pareto":
        return plots.against_cost(runs, baseline, metric, over or "gradients")
    if kind == "sharpness":
        return plots.against_sharpness(runs, metric or "sharpness")
    if kind == "landscape":
        return plots.landscapes(runs)
    return plots.curves(runs, metric, over or "epochs")


def figure(kind: str, made: Plot, width: float) -> Figure:
    """The figure of a kind.

    Args:
        kind: one of `KINDS`.
        made: its numbers.
        width: in inches.
    """
    from samcli.report.pictures.axis import draw_axis
    from samcli.report.pictures.cost import draw_cost
    from samcli.report.pictures.curves import draw_curves
    from samcli.report.pictures.pareto import draw_pareto
    from samcli.report.pictures.sharpness import draw_sharpness

    if kind in AXES:
        return draw_axis(made, width)
    others = {"cost": draw_cost, "pareto": draw_pareto, "sharpness": draw_sharpness}
    return others.get(kind, draw_curves)(made, width)
