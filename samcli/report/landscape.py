"""Pictures of loss landscapes, and their numbers as CSV."""

from __future__ import annotations

import csv
import io
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from samcli.report.settings import Config, label, telling

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.contour import QuadContourSet

    from samcli.sharpness import Landscape

# M. Okabe and K. Ito's palette, told apart by colour-blind readers; without yellow, which is faint on white
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
STROKES = ("-", "--", "-.", ":")
DECADES_FOR_LOG = 2.0
CHARACTERS = 32  # of a name above a panel or an end of a line, or of one of two columns of the legend
CHARACTERS_PER_INCH = 14  # of a title
SHARE_FOR_NUMBER = 0.2  # of the width of a panel, that a contour spans
STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "samcli",  # the same picture is the same file
    "pdf.fonttype": 42,  # what journals ask for
}


@dataclass(frozen=True)
class Words:
    """What stands on a picture beside the names of the runs.

    Attributes:
        title: what is drawn, and below it on what.
        loss: with its unit.
        axes: the label of each coordinate.
    """

    title: tuple[str, str]
    loss: str
    axes: tuple[str, ...]


def captions(configs: Sequence[Config]) -> list[tuple[str, str]]:
    """What to call each run: the optimizer with what tells it from the others, and the seed.

    Data set and model are named only where there is more than one.
    """
    several = len({place(config) for config in configs}) > 1
    found = []
    for config, words in zip(configs, telling(configs), strict=True):
        where = [place(config)] if several else []
        parts = [*where, config["optimizer"]["name"], label(words, "dataset", "model"), label(words)]
        found.append((" ".join(part for part in parts if part), f"seed {config['seeds']}"))
    return found


def place(config: Config) -> str:
    """Data set and model of a run."""
    return f"{config['dataset']['name']}, {config['model']['name']}"


def words_of_slices(
    configs: Sequence[Config], landscapes: Sequence[Landscape], loss: str, directions: str, seed: int
) -> Words:
    """What stands on the picture of slices through trained weights."""
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
    examples = _unique(str(landscape.examples) for landscape in landscapes)
    below = f"{_unique(map(place, configs))}; {examples} training examples, evaluation mode, --seed {seed}"
    return Words((f"Training loss {where}", below), loss, axes)


def words_of_line(configs: Sequence[Config], landscapes: Mapping[str, Landscape], loss: str, seed: int) -> Words:
    """What stands on the picture of the line between two networks."""
    examples = " and ".join(f"{landscape.examples} {part}" for part, landscape in landscapes.items())
    below = f"{_unique(map(place, configs))}; {examples} examples, evaluation mode, --seed {seed}"
    return Words(("Loss on the line between two networks", below), loss, ("t, at w₀ + t (w₁ - w₀)",))


def _unique(texts: Iterable[str]) -> str:
    return " or ".join(dict.fromkeys(texts))


def draw_curves(landscapes: Sequence[Landscape], names: Sequence[tuple[str, str]], words: Words) -> Figure:
    """One-dimensional slices in one pair of axes; runs that differ in the seed alone share a colour.

    Args:
        landscapes: of the runs.
        names: of the runs, as `captions` gives them.
        words: on the picture.
    """
    with _figure(words, 6.0, 4.0) as figure:
        axes = figure.add_subplot()
        for number, group in enumerate(dict.fromkeys(group for group, _ in names)):
            seeds = [seed for other, seed in names if other == group]
            several = len(seeds) > 1
            curves = [one for one, (other, _) in zip(landscapes, names, strict=True) if other == group]
            lines = axes.plot(
                curves[0].axes[0],
                np.ma.stack([_finite(curve) for curve in curves], axis=1),
                STROKES[number // len(COLOURS) % len(STROKES)],
                color=COLOURS[number % len(COLOURS)],
                linewidth=1.0 if several else 1.6,
            )
            lines[0].set_label(
                fill(f"{group}, {len(seeds)} runs" if several else f"{group} {seeds[0]}", 2 * CHARACTERS)
            )
        axes.axvline(0.0, color="0.6", linewidth=0.8, zorder=0)
        axes.set(xlabel=words.axes[0], ylabel=words.loss, xlim=(landscapes[0].axes[0][0], landscapes[0].axes[0][-1]))
        _scale(axes, landscapes)
        longest = max(len(str(line.get_label())) for line in axes.lines)
        figure.legend(loc="outside lower center", ncols=2 if longest <= CHARACTERS else 1)
    return figure


def draw_panels(landscapes: Sequence[Landscape], names: Sequence[tuple[str, str]], words: Words) -> Figure:
    """Two-dimensional slices side by side, with one scale of colours; a cross marks the trained weights.

    Args:
        landscapes: of the runs, with the same coordinates.
        names: of the runs, as `captions` gives them.
        words: on the picture.
    """
    columns = min(3, len(landscapes))
    rows = -(-len(landscapes) // columns)
    levels, norm = _levels(landscapes)
    strokes = ["white" if norm(level) < 0.6 else "black" for level in levels]  # to be seen on blue and on yellow
    with _figure(words, 1.2 + 3.2 * columns, 0.7 + 3.1 * rows) as figure:
        panels = list(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat)
        for axes in panels[len(landscapes) :]:
            axes.remove()
        panels = panels[: len(landscapes)]
        for axes, landscape, name in zip(panels, landscapes, names, strict=True):
            values = _finite(landscape).T  # rows are the second coordinate
            filled = axes.contourf(*landscape.axes, values, levels, cmap="viridis", norm=norm)
            lines = axes.contour(*landscape.axes, values, levels, colors=strokes, linewidths=0.6)
            axes.clabel(lines, _roomy(lines), fmt="%g", fontsize=7)
            axes.plot(0.0, 0.0, "+", color="#D55E00", markersize=9, markeredgewidth=1.8)
            axes.set(title=fill(" ".join(name), CHARACTERS), aspect="equal")
            axes.locator_params(nbins=5)
        for axes in panels[-columns:]:
            axes.tick_params(labelbottom=True)  # also where there is none below
        figure.supxlabel(words.axes[0], fontsize=9)
        figure.supylabel(words.axes[1], fontsize=9)
        figure.colorbar(filled, ax=panels, label=words.loss, ticks=levels, format="%g")
    return figure


def draw_line(landscapes: Mapping[str, Landscape], ends: tuple[str, str], words: Words) -> Figure:
    """The losses on the line between two networks, both ends marked.

    Args:
        landscapes: by the part of the data, "train" and "test".
        ends: the names of the two networks.
        words: on the picture.
    """
    with _figure(words, 6.0, 3.8) as figure:
        axes = figure.add_subplot()
        for (part, landscape), color, stroke in zip(landscapes.items(), COLOURS, STROKES, strict=False):
            axes.plot(landscape.axes[0], _finite(landscape), stroke, color=color, linewidth=1.6, label=part)
        for t, name in enumerate(ends):
            axes.axvline(t, color="0.6", linewidth=0.8, zorder=0)
            axes.annotate(
                fill(name, CHARACTERS),
                (t, 1.0),
                (0, 3),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                ha="center",
            )
        axes.set(xlabel=words.axes[0], ylabel=words.loss)
        axes.margins(x=0.0)
        _scale(axes, list(landscapes.values()))
        axes.legend()
    return figure


def encode(figure: Figure, form: str) -> bytes:
    """The picture as a file, "png", "svg" or "pdf"; the same picture is the same bytes."""
    written = io.BytesIO()
    undated: dict[str, Any] = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[form]
    with mpl.rc_context(STYLE):
        figure.savefig(written, format=form, dpi=200, metadata=undated)
    return written.getvalue()


def numbers_of_slices(checkpoints: Sequence[str], landscapes: Sequence[Landscape]) -> str:
    """CSV with a row for each point of each checkpoint: `checkpoint,alpha[,beta],train_loss`, to the last bit."""
    axes = ("alpha", "beta")[: landscapes[0].losses.dim()]
    rows = [
        (checkpoint, *point, loss)
        for checkpoint, landscape in zip(checkpoints, landscapes, strict=True)
        for point, loss in zip(itertools.product(*landscape.axes), landscape.losses.flatten().tolist(), strict=True)
    ]
    return _csv(("checkpoint", *axes, "train_loss"), rows)


def numbers_of_line(landscapes: Mapping[str, Landscape]) -> str:
    """CSV with a row for each point of the line: `t,train_loss,test_loss`, to the last bit."""
    columns = [landscape.losses.tolist() for landscape in landscapes.values()]
    axis = next(iter(landscapes.values())).axes[0]
    return _csv(("t", *(f"{part}_loss" for part in landscapes)), zip(axis, *columns, strict=True))


def _csv(header: Sequence[str], rows: Any) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


@contextmanager
def _figure(words: Words, width: float, height: float) -> Iterator[Figure]:
    """A figure with its title, to be drawn on in the style of all; no window system and no global state has a part."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(wspace=0.06))
        lines = [fill(line, int(width * CHARACTERS_PER_INCH)) for line in words.title]
        figure.suptitle("\n".join(lines), fontsize=9)
        yield figure


def _finite(landscape: Landscape) -> np.ma.MaskedArray[Any, Any]:
    return np.ma.masked_invalid(landscape.losses.numpy())


def _range(landscapes: Sequence[Landscape]) -> tuple[float, float, bool]:
    """The smallest and the largest loss, and whether they are so far apart that a logarithmic scale shows more."""
    values = np.concatenate([landscape.losses.numpy().ravel() for landscape in landscapes])
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    return low, high, low > 0.0 and high > low * 10**DECADES_FOR_LOG


def _scale(axes: Axes, landscapes: Sequence[Landscape]) -> None:
    *_, logarithmic = _range(landscapes)
    axes.set_yscale("log" if logarithmic else "linear")


def _roomy(lines: QuadContourSet) -> list[float]:
    """The levels that have a line with room for a number: no small ring, no arc in a corner."""
    enough = SHARE_FOR_NUMBER * lines.axes.dataLim.width
    contours = zip(lines.levels, lines.get_paths(), strict=True)
    return [
        float(level)
        for level, path in contours
        if any(np.ptp(np.asarray(piece)[:, 0]) > enough for piece in path.to_polygons(closed_only=False))
    ]


def _levels(landscapes: Sequence[Landscape]) -> tuple[list[float], Normalize]:
    """Round numbers from at most the smallest loss to at least the largest, and the scale of colours."""
    low, high, logarithmic = _range(landscapes)
    if not logarithmic:
        levels = [float(level) for level in MaxNLocator(9).tick_values(low, high)]
        return levels, Normalize(levels[0], levels[-1])
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    steps = (1, 2, 5) if last - first < 6 else (1,)
    # one more decade on either side, for a logarithm that was rounded to a whole number
    candidates = [float(f"{step}e{exponent}") for exponent in range(first - 1, last + 2) for step in steps]
    below = max(level for level in candidates if level <= low)
    above = min(level for level in candidates if level >= high)
    levels = [level for level in candidates if below <= level <= above]
    return levels, LogNorm(levels[0], levels[-1])
