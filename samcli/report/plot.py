"""A plot of runs as plain values: what is drawn, below any way to draw it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from samcli.metrics import is_share, title


@dataclass(frozen=True)
class Quantity:
    """What an axis of a panel shows.

    Attributes:
        name: a column of `metrics.csv`, a dotted option, or "cost".
        label: the same in words, with the unit of the picture.
        factor: from the values, which are in the unit of `metrics.csv`, to that of the picture: 100 for accuracies.
        is_logarithmic: whether equal distances are equal factors.
    """

    name: str
    label: str
    factor: float = 1.0
    is_logarithmic: bool = False


@dataclass(frozen=True)
class Point:
    """The mean over the finished seeds of a setting, or a single run.

    Attributes:
        x: None for what holds whatever x is.
        y: in the unit of `metrics.csv`: accuracies from 0 to 1.
        x_sd, y_sd: sample standard deviations over seeds; None for one seed, and where none is drawn.
        n: how many seeds.
        seed: that of a single run.
    """

    x: float | None
    y: float
    x_sd: float | None = None
    y_sd: float | None = None
    n: int = 1
    seed: int | None = None


@dataclass(frozen=True)
class Series:
    """What shares one entry of the legend.

    Attributes:
        name: optimizer and options in words.
        points: in the order in which they are joined, where they are.
        on_front: whether no other series of the panel has both a lower x and a better y.
    """

    name: str
    points: tuple[Point, ...]
    on_front: bool = False


@dataclass(frozen=True)
class Panel:
    """One pair of axes: the runs of one data set and model.

    Attributes:
        where: data set and model in words.
        x, y: what the axes show.
        series: in the order of the legend.
    """

    where: str
    x: Quantity
    y: Quantity
    series: tuple[Series, ...]


@dataclass(frozen=True)
class Plot:
    """A figure.

    Attributes:
        title: what it shows, in a few words.
        caption: what a reader of it must know: over how many seeds, what bands and bars are.
        panels: one for each data set and model.
        notes: sentences on runs that are not in it.
    """

    title: str
    caption: str
    panels: tuple[Panel, ...]
    notes: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """The names of all series, each once, in the order of the panels.

        >>> series = (Series("sgd", ()), Series("sam", ()))
        >>> x = Quantity("epoch", "epoch")
        >>> Plot("", "", (Panel("", x, x, series), Panel("", x, x, series[:1])), ()).names
        ['sgd', 'sam']
        """
        return list(dict.fromkeys(series.name for panel in self.panels for series in panel.series))


def quantity(column: str, *, is_logarithmic: bool = False) -> Quantity:
    """A column of `metrics.csv` as what an axis shows.

    >>> quantity("test_accuracy")
    Quantity(name='test_accuracy', label='test accuracy in %', factor=100.0, is_logarithmic=False)
    """
    return Quantity(column, title(column), 100.0 if is_share(column) else 1.0, is_logarithmic)


def spans(values: Sequence[float], factor: float) -> bool:
    """Whether values are positive and so far apart that a logarithmic axis shows more.

    >>> spans([0.05, 0.1, 0.4], 8.0), spans([0.0, 0.1, 0.4], 8.0), spans([], 8.0)
    (True, False, False)
    """
    return bool(values) and min(values) > 0.0 and max(values) >= factor * min(values) * (1.0 - 1e-12)


def record(plot: Plot) -> dict[str, Any]:
    """A plot as plain values for JSON: what is drawn, unrounded.

    >>> x = Quantity("epoch", "epoch")
    >>> plot = Plot("Loss", "", (Panel("digits, cnn", x, x, (Series("sgd", (Point(1.0, 0.5),)),)),), ())
    >>> record(plot)["panels"][0]["series"][0]["points"]
    ({'x': 1.0, 'y': 0.5, 'x_sd': None, 'y_sd': None, 'n': 1, 'seed': None},)
    """
    return dataclasses.asdict(plot)
