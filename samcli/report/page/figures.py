"""The plots of a page as plain values, in the units of the picture; `page.js` draws them and writes their tables."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from samcli.errors import ConfigError, NothingToCompare
from samcli.escape import html_text, visible
from samcli.metrics import higher_is_better
from samcli.report.option_axis import axis_words
from samcli.report.palette import COLOURS, MARKERS, STROKES
from samcli.report.plot import Panel, Plot, Series
from samcli.report.plots import against_cost, against_sharpness, along_axis, axes_of, curves, landscapes
from samcli.runs.reader import Run
from samcli.words import count

MOST_AT_FIRST = 8  # lines that a reader can follow; the others are a click away
MOST_LEVELS = 5  # of settings that an axis means nothing to
LONGEST_LABEL = 60  # characters of a name inside a plot, where nothing wraps
DIGITS = 7  # of a number that is drawn
SYMBOLS = dict(
    zip(
        MARKERS,
        ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "x", "triangle-left"),
        strict=True,
    )
)
DASHES = dict(zip(STROKES, ("solid", "dash", "dashdot", "dot"), strict=True))


@dataclass(frozen=True)
class Section:
    """Plots under one heading, with one legend.

    Attributes:
        key: in the page's addresses and data.
        kind: how `page.js` draws it: curves, cost, sharpness or axis.
        heading: of the section.
        plots: by what a reader may switch between; one without a name where there is nothing to switch.
        left_out: a sentence on what is not in it; empty if all is.
    """

    key: str
    kind: str
    heading: str
    plots: dict[str, Plot]
    left_out: str = ""

    @property
    def names(self) -> list[str]:
        """The names of all series, in the order of the legend."""
        return list(dict.fromkeys(name for plot in self.plots.values() for name in plot.names))

    def at_first(self, baseline: str) -> set[str]:
        """The names that are shown at first: all, or of many lines the baseline's and those that end best."""
        names = self.names
        if self.kind not in ("curves", "axis") or len(names) <= MOST_AT_FIRST:
            return set(names)
        ends: dict[str, float] = {}
        for panel in next(iter(self.plots.values())).panels:
            sign = 1.0 if higher_is_better(panel.y.name) else -1.0
            for one in panel.series:
                ends[one.name] = max(sign * one.points[-1].y, ends.get(one.name, -math.inf))
        optimizer = baseline.split(maxsplit=1)[0]
        first = sorted(names, key=lambda name: (name.split()[0] != optimizer, -ends.get(name, -math.inf)))
        return set(first[:MOST_AT_FIRST])


def sections_of(runs: Sequence[Run], *, baseline: str = "sgd", metric: str | None = None) -> list[Section]:
    """The plots that can be made of runs; none where no run has finished.

    Args:
        runs: any.
        baseline: what costs 1.
        metric: what is drawn; by default the test score of the task.

    >>> from samcli.report.example import example_runs
    >>> for section in sections_of(example_runs()):
    ...     print(section.key, list(section.plots))
    curves ['epochs', 'gradient evaluations', 'seconds']
    cost ['gradient evaluations', 'seconds']
    sharpness ['']
    """
    spent = {"epochs": "epochs", "gradient evaluations": "gradients", "seconds": "seconds"}
    found: list[Section | None] = [
        _section("curves", "Learning curves", spent, lambda over: curves(runs, metric, over, limited=False)),
        _section(
            "cost",
            "Score against cost",
            {name: over for name, over in spent.items() if over != "epochs"},
            lambda over: against_cost(runs, baseline, metric, over, limited=False),
        ),
        _section("sharpness", "Score against sharpness", {"": ""}, lambda _: against_sharpness(runs, limited=False)),
        _section(
            "landscape", "Loss around the weights", {"": ""}, lambda _: landscapes(runs, limited=False), kind="curves"
        ),
    ]
    try:
        axes = axes_of(runs)
    except NothingToCompare:
        axes = []
    for axis in axes:
        made = _section(
            f"axis-{axis}",
            f"Along {axis_words(axis)}",
            {"": axis},
            lambda over: along_axis(runs, over, metric, limited=False),
        )
        found.append(made and _thinned(made, axis))
    return [section for section in found if section]


def _section(
    key: str, heading: str, views: dict[str, str], make: Callable[[str], Plot], kind: str | None = None
) -> Section | None:
    """The plots that can be made of some views; None if that is none."""
    plots, missing = {}, []
    for name, over in views.items():
        try:
            plots[name] = make(over)
        except (ConfigError, NothingToCompare):
            missing.append(name)
    if not plots:
        return None
    # the view that may be missing while others are there
    left_out = (
        "Seconds are left out: the runs were timed under different conditions, or have none."
        if "seconds" in missing
        else ""
    )
    return Section(key, kind or key.partition("-")[0], heading, plots, left_out)


def _thinned(section: Section, axis: str) -> Section | None:
    """The section without series that show nothing along its axis: a single value; or levels, where there are many."""
    (plot,) = section.plots.values()
    panels: list[Panel] = []
    dropped: set[str] = set()
    for panel in plot.panels:
        lines = [one for one in panel.series if len(one.points) > 1]
        levels = [one for one in panel.series if one.points[0].x is None]
        kept = [*lines, *levels] if len(levels) <= MOST_LEVELS else lines
        dropped |= {one.name for one in panel.series if one not in kept}
        if lines:
            panels.append(Panel(panel.where, panel.x, panel.y, tuple(one for one in panel.series if one in kept)))
    if not panels:
        return None
    left_out = (
        f"{count(len(dropped), 'setting')} with a single value of {axis_words(axis)}, or without it, not drawn."
        if dropped
        else ""
    )
    return Section(
        section.key,
        section.kind,
        section.heading,
        {"": Plot(plot.title, plot.caption, tuple(panels), plot.notes)},
        left_out,
    )


def palette() -> dict[str, list[str]]:
    """Colours, symbols and strokes in Plotly's words, which settings take in turn.

    >>> palette()["symbols"][:3], palette()["dashes"][:2]
    (['circle', 'square', 'triangle-up'], ['solid', 'dash'])
    """
    return {"colours": list(COLOURS), "symbols": list(SYMBOLS.values()), "dashes": list(DASHES.values())}


def looks_of(sections: Sequence[Section], baseline: str = "sgd") -> dict[str, int]:
    """The number of each name, by which it looks the same in all plots of the page; the baseline alone is black.

    >>> from samcli.report.example import example_runs
    >>> looks_of(sections_of(example_runs()))
    {'sam rho=0.05': 0, 'sgd': 6}
    """
    names = dict.fromkeys(name for section in sections for name in section.names)
    optimizer, black = baseline.split(maxsplit=1)[0], len(COLOURS) - 1
    reference = next((name for name in names if name.split()[0] == optimizer), None)
    others = (number for number in itertools.count() if number % len(COLOURS) != black or reference is None)
    return {name: black if name == reference else next(others) for name in names}


def record(section: Section, looks: Mapping[str, int], baseline: str = "sgd") -> dict[str, Any]:
    """A section as plain values for JSON.

    Args:
        section: any.
        looks: the number of each name, see `looks_of`.
        baseline: whose lines are shown at first, whatever their values.

    >>> from samcli.report.example import example_runs
    >>> sections = sections_of(example_runs())
    >>> found = record(sections[0], looks_of(sections))
    >>> found["views"][0]["panels"][0]["series"][0]["y"]
    [50.0, 82.5]
    """
    names, shown = section.names, section.at_first(baseline)
    return {
        "key": section.key,
        "kind": section.kind,
        "series": [
            {"name": visible(name), "label": _label(name), "look": looks[name], "shown": name in shown}
            for name in names
        ],
        "views": [
            {"name": name, "panels": [_panel(panel, names) for panel in plot.panels]}
            for name, plot in section.plots.items()
        ],
    }


def _panel(panel: Panel, names: Sequence[str]) -> dict[str, Any]:
    return {
        "where": visible(panel.where),
        "x": {"label": html_text(panel.x.label), "log": panel.x.is_logarithmic},
        "y": {"label": html_text(panel.y.label), "log": panel.y.is_logarithmic},
        "series": [_series(one, panel, names.index(one.name)) for one in panel.series],
    }


def _series(one: Series, panel: Panel, number: int) -> dict[str, Any]:
    def scaled(values: Sequence[float | None], factor: float) -> list[float | None]:
        return [None if value is None else float(f"{factor * value:.{DIGITS}g}") for value in values]

    points = one.points
    found: dict[str, Any] = {
        "of": number,
        "x": scaled([point.x for point in points], panel.x.factor),
        "y": scaled([point.y for point in points], panel.y.factor),
        "n": [point.n for point in points],
    }
    spreads: dict[str, Sequence[float | int | None]] = {
        "xSd": scaled([point.x_sd for point in points], panel.x.factor),
        "ySd": scaled([point.y_sd for point in points], panel.y.factor),
        "seed": [point.seed for point in points],
    }
    found |= {key: values for key, values in spreads.items() if any(value is not None for value in values)}
    return found | ({"front": True} if one.on_front else {})


def _label(name: str) -> str:
    short = name if len(name) <= LONGEST_LABEL else f"{name[: LONGEST_LABEL - 1]}…"
    return html_text(short)
