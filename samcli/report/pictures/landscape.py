"""Pictures of loss landscapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import BoundaryNorm

from samcli.report.landscape_csv import Landscape
from samcli.report.palette import COLOURS, STROKES
from samcli.report.pictures._figure import (
    CHARACTERS,
    in_picture,
    joined_by_or,
    legend_groups,
    titled_figure,
)
from samcli.report.pictures._levels import finite, levels_of, range_of, ticks_of
from samcli.report.settings import Config, dataset_and_model

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.contour import QuadContourSet
    from matplotlib.figure import Figure

COLOURS_OF_MAP = 256
MOST_NUMBERS = 7  # on the contours of a panel
SHARE_FOR_NUMBER = 0.2  # of the width of a panel: a contour that spans less has no room for its number


@dataclass(frozen=True)
class Labels:
    """The texts on a picture beside the names of the runs.

    Attributes:
        title: one line on what is drawn, and one on the data and the model.
        loss: the name of the loss with its unit.
        axes: a label for each coordinate.
    """

    title: tuple[str, str]
    loss: str
    axes: tuple[str, ...]


def slice_labels(
    configs: Sequence[Config], landscapes: Sequence[Landscape], loss: str, directions: str, seed: int
) -> Labels:
    """The texts on a picture of slices through trained weights.

    Args:
        configs: the configurations of the runs.
        landscapes: their slices, all with as many dimensions.
        loss: the name of the loss with its unit.
        directions: "random" or "leading".
        seed: the seed of the draws.

    >>> from types import SimpleNamespace as Stub
    >>> import torch
    >>> config = {"dataset": {"name": "digits"}, "model": {"name": "cnn"}}
    >>> curve = Stub(axes=((-1.0, 1.0),), losses=torch.ones(2), examples=100)
    >>> slice_labels([config], [curve], "cross-entropy in nats", "leading", seed=0).title[1]
    'digits, cnn; 100 training examples, evaluation mode, --seed 0'
    """
    plane = landscapes[0].losses.dim() == 2
    if directions == "random":
        where = (
            "in a plane of two filter-normalised random directions"
            if plane
            else "along a filter-normalised random direction"
        )
        axes = tuple(f"{name}, relative to the norm of each filter" for name in "αβ")
    else:
        where = (
            "in the plane of the two leading Hessian eigenvectors" if plane else "along the leading Hessian eigenvector"
        )
        axes = tuple(f"{name}, distance along eigenvector {number}" for number, name in enumerate("αβ", 1))
    examples = joined_by_or(str(landscape.examples) for landscape in landscapes)
    below = (
        f"{joined_by_or(map(dataset_and_model, configs))}; {examples} training examples, evaluation mode, --seed {seed}"
    )
    return Labels((f"Training loss {where}", below), loss, axes)


def line_labels(configs: Sequence[Config], landscapes: Mapping[str, Landscape], loss: str, seed: int) -> Labels:
    """The texts on a picture of the line between two networks; see `slice_labels`.

    >>> from types import SimpleNamespace as Stub
    >>> config = {"dataset": {"name": "digits"}, "model": {"name": "cnn"}}
    >>> parts = {"train": Stub(examples=100), "test": Stub(examples=30)}
    >>> line_labels([config, config], parts, "cross-entropy in nats", seed=0).title[1]
    'digits, cnn; 100 train and 30 test examples, evaluation mode, --seed 0'
    """
    examples = " and ".join(f"{landscape.examples} {part}" for part, landscape in landscapes.items())
    below = f"{joined_by_or(map(dataset_and_model, configs))}; {examples} examples, evaluation mode, --seed {seed}"
    return Labels(("Loss on the line between two networks", below), loss, ("t, at w₀ + t (w₁ - w₀)",))


def draw_curves(landscapes: Sequence[Landscape], names: Sequence[tuple[str, str]], labels: Labels) -> Figure:
    """One-dimensional slices in one pair of axes; runs that differ in the seed alone share a colour.

    Args:
        landscapes: the slice of each run.
        names: the names of the runs, as `samcli.report.settings.captions` gives them.
        labels: the texts on the picture.

    >>> from types import SimpleNamespace as Stub
    >>> import torch
    >>> curve = Stub(axes=((-1.0, 0.0, 1.0),), losses=torch.tensor([1.5, 0.5, 2.0]), examples=100)
    >>> figure = draw_curves([curve], [("sgd", "seed 0")], Labels(("Training loss", ""), "cross-entropy", ("α",)))
    >>> figure.axes[0].lines[0].get_label()
    'sgd seed 0'
    """
    with titled_figure(labels.title, 6.0, 4.0) as figure:
        axes = figure.add_subplot()
        for number, (name, runs) in enumerate(legend_groups(names).items()):
            lines = axes.plot(
                landscapes[runs[0]].axes[0],
                np.ma.stack([finite(landscapes[run]) for run in runs], axis=1),
                STROKES[number // len(COLOURS) % len(STROKES)],
                color=COLOURS[number % len(COLOURS)],
                linewidth=1.6 if len(runs) == 1 else 1.0,
            )
            lines[0].set_label(fill(name, 2 * CHARACTERS))
        axes.axvline(0.0, color="0.6", linewidth=0.8, zorder=0)
        axes.set(
            xlabel=labels.axes[0],
            ylabel=in_picture(labels.loss),
            xlim=(landscapes[0].axes[0][0], landscapes[0].axes[0][-1]),
        )
        _scale(axes, landscapes)
        longest = max(len(str(line.get_label())) for line in axes.lines)
        figure.legend(loc="outside lower center", ncols=2 if longest <= CHARACTERS else 1)
    return figure


def draw_panels(landscapes: Sequence[Landscape], names: Sequence[tuple[str, str]], labels: Labels) -> Figure:
    """Two-dimensional slices side by side, with one scale of colours; a cross marks the trained weights.

    Args:
        landscapes: the slice of each run, all with the same coordinates.
        names: the names of the runs, as `samcli.report.settings.captions` gives them.
        labels: the texts on the picture.

    >>> from types import SimpleNamespace as Stub
    >>> import torch
    >>> bowl = Stub(axes=((-1.0, 1.0),) * 2, losses=torch.tensor([[1.0, 2.0], [2.0, 3.0]]), examples=100)
    >>> figure = draw_panels([bowl], [("sgd", "seed 0")], Labels(("Training loss", ""), "cross-entropy", ("α", "β")))
    >>> figure.axes[0].get_title()
    'sgd seed 0'
    """
    columns = 2 if len(landscapes) == 4 else min(3, len(landscapes))
    rows = -(-len(landscapes) // columns)
    levels = levels_of(landscapes)
    norm = BoundaryNorm(levels, COLOURS_OF_MAP)  # a colour for each step, however large: the scale is not proportional
    # to be seen on blue and on yellow
    strokes = ["white" if number < 0.6 * len(levels) else "black" for number in range(len(levels))]
    with titled_figure(labels.title, 1.2 + 3.2 * columns, 0.7 + 3.1 * rows) as figure:
        panels = list(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat)
        for axes in panels[len(landscapes) :]:
            axes.remove()
        panels = panels[: len(landscapes)]
        for axes, landscape, name in zip(panels, landscapes, names, strict=True):
            values = finite(landscape).T  # rows are the second coordinate
            filled = axes.contourf(*landscape.axes, values, levels, cmap="viridis", norm=norm)
            lines = axes.contour(*landscape.axes, values, levels, colors=strokes, linewidths=0.6)
            axes.clabel(lines, _levels_with_room(lines), fmt="%g", fontsize=7)
            axes.plot(0.0, 0.0, "+", color="#D55E00", markersize=9, markeredgewidth=1.8)
            axes.set(title=fill(in_picture(" ".join(name)), CHARACTERS), aspect="equal")
            axes.locator_params(nbins=5)
        for axes in panels[-columns:]:
            axes.tick_params(labelbottom=True)  # also where there is none below
        figure.supxlabel(labels.axes[0], fontsize=9)
        figure.supylabel(labels.axes[1], fontsize=9)
        figure.colorbar(filled, ax=panels, label=in_picture(labels.loss), ticks=ticks_of(levels), format="%g")
    return figure


def draw_line(landscapes: Mapping[str, Landscape], ends: tuple[str, str], labels: Labels) -> Figure:
    """The losses on the line between two networks, both ends marked.

    Args:
        landscapes: the losses by the part of the data, "train" and "test".
        ends: the names of the two networks.
        labels: the texts on the picture.

    >>> from types import SimpleNamespace as Stub
    >>> import torch
    >>> line = Stub(axes=((0.0, 0.5, 1.0),), losses=torch.tensor([0.5, 2.0, 0.4]), examples=100)
    >>> labels = Labels(("Loss on the line between two networks", ""), "cross-entropy", ("t",))
    >>> figure = draw_line({"train": line}, ("sgd seed 0", "sgd seed 1"), labels)
    >>> figure.axes[0].lines[0].get_label()
    'train'
    """
    with titled_figure(labels.title, 6.0, 3.8) as figure:
        axes = figure.add_subplot()
        for (part, landscape), color, stroke in zip(landscapes.items(), COLOURS, STROKES, strict=False):
            axes.plot(landscape.axes[0], finite(landscape), stroke, color=color, linewidth=1.6, label=part)
        for t, name in enumerate(ends):
            axes.axvline(t, color="0.6", linewidth=0.8, zorder=0)
            axes.annotate(
                fill(in_picture(name), CHARACTERS),
                (t, 1.0),
                (0, 3),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                ha="center",
            )
        axes.set(xlabel=labels.axes[0], ylabel=in_picture(labels.loss))
        axes.margins(x=0.0)
        _scale(axes, list(landscapes.values()))
        axes.legend()
    return figure


def _scale(axes: Axes, landscapes: Sequence[Landscape]) -> None:
    *_, logarithmic = range_of(landscapes)
    axes.set_yscale("log" if logarithmic else "linear")


def _levels_with_room(lines: QuadContourSet) -> list[float]:
    """The levels that have a line with room for a number: no small ring, no arc in a corner."""
    enough = SHARE_FOR_NUMBER * lines.axes.dataLim.width
    contours = zip(lines.levels, lines.get_paths(), strict=True)
    roomy = [
        float(level)
        for level, path in contours
        if any(np.ptp(np.asarray(piece)[:, 0]) > enough for piece in path.to_polygons(closed_only=False))
    ]
    return roomy[:: -(-len(roomy) // MOST_NUMBERS) or 1]
