"""What all pictures have in common: style, title, what runs are called, and files of the same bytes."""

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

# M. Okabe and K. Ito's palette, told apart by colour-blind readers; without yellow, which is faint on white
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
CHARACTERS = 32  # of a name above a panel or an end of a line, or of one of two columns of the legend
CHARACTERS_PER_INCH = 14  # of a title
DPI = 130  # of PNG; what is printed should be PDF
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


def grouped(names: Sequence[tuple[str, str]]) -> dict[str, list[int]]:
    """The runs that differ in the seed alone, under what a legend calls them, with numbers in the order of their size.

    Args:
        names: of the runs, as `settings.captions` gives them.

    >>> grouped([("sgd batch_size=128", "seed 0"), ("sgd batch_size=32", "seed 0"), ("sgd batch_size=32", "seed 1")])
    {'sgd batch_size=32, 2 runs': [1, 2], 'sgd batch_size=128 seed 0': [0]}
    """
    members: dict[str, list[int]] = defaultdict(list)
    for number, (group, _) in enumerate(names):
        members[group].append(number)
    return {
        f"{group}, {len(runs)} runs" if len(runs) > 1 else " ".join(names[runs[0]]): runs
        for group, runs in sorted(members.items(), key=lambda item: _by_size(item[0]))
    }


def _by_size(text: str) -> list[str | float]:
    return [float(part) if position % 2 else part for position, part in enumerate(NUMBER.split(text))]


def either(texts: Iterable[str]) -> str:
    """The texts, each once, with "or" between them."""
    return " or ".join(dict.fromkeys(texts))


@contextmanager
def titled(title: Sequence[str], width: float, height: float) -> Iterator[Figure]:
    """A figure with its title, to be drawn on in the style of all; no window system and no global state has a part.

    Args:
        title: its lines, which are filled to the width.
        width: in inches.
        height: in inches.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(wspace=0.06, hspace=0.06))
        lines = [fill(line, int(width * CHARACTERS_PER_INCH)) for line in title]
        figure.suptitle("\n".join(lines), fontsize=9)
        yield figure


def encode(figure: Figure, form: str) -> bytes:
    """The picture as a file, "png", "svg" or "pdf"; the same picture is the same bytes."""
    written = io.BytesIO()
    undated: dict[str, Any] = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[form]
    with mpl.rc_context(STYLE):
        figure.savefig(written, format=form, dpi=DPI, metadata=undated)
    return written.getvalue()
