"""The style of all pictures, their title, their legend, and files of the same bytes."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from textwrap import fill
from typing import Any

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import LogLocator, NullLocator

from samcli.escape import visible
from samcli.report.order import by_size
from samcli.words import count

CHARACTERS = 32  # in a line of a name above a panel or at an end of a line, or of one of two columns of the legend
CHARACTERS_PER_INCH = 14  # in a title
CHARACTERS_OF_MARKER = 9  # the room it takes before a name in a legend, with the space between columns
LINE_HEIGHT = 0.22  # in a legend, in inches
TICKS = 4  # on an axis of a small panel
DPI = 130  # dots per inch of PNG; what is printed should be PDF
SIZE = 9.0  # of letters, in points
STYLE: dict[Any, Any] = {
    "font.size": SIZE,
    "axes.titlesize": SIZE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "samcli",  # the same picture is the same file
    "pdf.fonttype": 42,  # what journals ask for
}


def legend_groups(names: Sequence[tuple[str, str]]) -> dict[str, list[int]]:
    """The entries of a legend, each with its runs: those that differ in the seed alone share one.

    Entries are in the order of the alphabet, and of the size of the numbers in them.

    Args:
        names: the names of the runs, as `samcli.report.settings.captions` gives them.

    Returns:
        The positions of the runs by the text of their entry.

    >>> legend_groups([("sgd lr=0.5", "seed 0"), ("sgd lr=0.05", "seed 0"), ("sgd lr=0.05", "seed 1")])
    {'sgd lr=0.05, 2 runs': [1, 2], 'sgd lr=0.5 seed 0': [0]}
    """
    members: dict[str, list[int]] = defaultdict(list)
    for number, (group, _) in enumerate(names):
        members[group].append(number)
    return {
        in_picture(f"{group}, {count(len(runs), 'run')}" if len(runs) > 1 else " ".join(names[runs[0]])): runs
        for group, runs in sorted(members.items(), key=lambda item: by_size(item[0]))
    }


def in_picture(text: str) -> str:
    r"""The text as a picture shows it: its dollars begin no formula, and its underscore hides no entry of a legend.

    >>> in_picture("_cost $5")
    ' _cost \\$5'
    """
    shown = visible(text, keep="\n").replace("$", r"\$")
    return f" {shown}" if shown.startswith("_") else shown


def joined_by_or(texts: Iterable[str]) -> str:
    """The texts, each once, with "or" between them.

    >>> joined_by_or(["1000", "500", "1000"])
    '1000 or 500'
    """
    return " or ".join(dict.fromkeys(texts))


@contextmanager
def titled_figure(title: Sequence[str], width: float, height: float) -> Iterator[Figure]:
    r"""A figure with its title, to be drawn on in the style of all; no window system and no global state has a part.

    Args:
        title: its lines, which are filled to the width.
        width: in inches.
        height: in inches.

    >>> with titled_figure(["Loss", "digits, cnn"], width=4.0, height=3.0) as figure:
    ...     _ = figure.add_subplot().plot([0.0, 1.0], [2.0, 0.5])
    >>> figure.get_suptitle()
    'Loss\ndigits, cnn'
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(wspace=0.06, hspace=0.06))
        lines = [fill(in_picture(line), characters_in(width)) for line in title]
        figure.suptitle("\n".join(lines), fontsize=SIZE)
        yield figure


def make_logarithmic(axes: Axes, letter: str, decades: float) -> None:
    """Make an axis logarithmic, with a few round numbers on it, as people write them.

    Args:
        axes: the panel.
        letter: "x" or "y".
        decades: between the values that it shows.

    >>> axes = Figure().add_subplot()
    >>> make_logarithmic(axes, "x", decades=1.5)
    >>> axes.get_xscale()
    'log'
    """
    axes.set(**{f"{letter}scale": "log"})
    axis = axes.xaxis if letter == "x" else axes.yaxis
    steps = (1, 2, 5) if decades <= 1.0 else (1, 3) if decades < 2.0 else (1,)
    axis.set_major_locator(LogLocator(subs=steps, numticks=TICKS))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter("{x:g}")


def characters_in(inches: float, size: float = SIZE) -> int:
    """How many letters of a size in points a line has room for.

    >>> characters_in(5.0), characters_in(5.0, 7.0)
    (70, 90)
    """
    return int(inches * CHARACTERS_PER_INCH * SIZE / size)


def legend_below(figure: Figure, entries: Sequence[Artist], size: float = SIZE) -> None:
    """Add one legend for all panels, in rows of as many entries as there is room for; the figure grows by it.

    Args:
        figure: with its panels.
        entries: what has a label, in the order of the legend; at least one.
        size: of its letters, in points.

    >>> with titled_figure(["Loss"], width=4.0, height=3.0) as figure:
    ...     legend_below(figure, figure.add_subplot().plot([0.5], [0.5], label="sgd"))
    >>> f"{figure.get_figheight():.2f}"
    '3.22'
    """
    names = [str(entry.get_label()).split("\n") for entry in entries]
    longest = max(len(line) for name in names for line in name)
    beside = max(1, characters_in(figure.get_figwidth(), size) // (longest + CHARACTERS_OF_MARKER))
    rows = -(-len(entries) // beside)
    figure.legend(handles=list(entries), loc="outside lower center", ncols=-(-len(entries) // rows), fontsize=size)
    lines = max(sum(map(len, names[start : start + rows])) for start in range(0, len(names), rows))  # of a column
    figure.set_figheight(figure.get_figheight() + LINE_HEIGHT * lines * size / SIZE)


def encode(figure: Figure, form: str) -> bytes:
    """The bytes of the picture's file; the same picture is the same bytes.

    Args:
        figure: the picture.
        form: "png", "svg" or "pdf".

    >>> encode(Figure(figsize=(1.0, 1.0)), "pdf")[:4]
    b'%PDF'
    """
    written = io.BytesIO()
    undated: dict[str, Any] = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[form]
    with mpl.rc_context(STYLE):
        figure.savefig(written, format=form, dpi=DPI, metadata=undated)
    return written.getvalue()
