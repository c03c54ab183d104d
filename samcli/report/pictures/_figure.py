"""The style of all pictures, their title, their legend, and files of the same bytes."""

from __future__ import annotations

import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from textwrap import fill
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from samcli.escape import visible
from samcli.words import count

# M. Okabe and K. Ito's palette, told apart by colour-blind readers; without yellow, which is faint on white
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
CHARACTERS = 32  # in a line of a name above a panel or at an end of a line, or of one of two columns of the legend
CHARACTERS_PER_INCH = 14  # in a title
DPI = 130  # dots per inch of PNG; what is printed should be PDF
NUMBER = re.compile(r"(\d+(?:\.\d+)?(?:e[+-]\d+)?)")
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
        for group, runs in sorted(members.items(), key=lambda item: _by_size(item[0]))
    }


def in_picture(text: str) -> str:
    r"""The text as a picture shows it: its dollars begin no formula, and its underscore hides no entry of a legend.

    >>> in_picture("_cost $5")
    ' _cost \\$5'
    """
    shown = visible(text, keep="\n").replace("$", r"\$")
    return f" {shown}" if shown.startswith("_") else shown


def _by_size(text: str) -> list[str | float]:
    return [float(part) if position % 2 else part for position, part in enumerate(NUMBER.split(text))]


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
        lines = [fill(in_picture(line), int(width * CHARACTERS_PER_INCH)) for line in title]
        figure.suptitle("\n".join(lines), fontsize=9)
        yield figure


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
