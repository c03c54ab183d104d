"""Which losses a picture draws its contours at, and on what scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from samcli.report.landscape_csv import Landscape

DECADES_FOR_LOG = 2.0
LEVELS_OF_SHAPE = 5  # in the values of a panel, to see its shape
SHARE_OF_SHAPE = 0.95  # of the values of a panel, the largest aside, that these levels lie in
FLAT = 1e-4  # the share of its loss by which a panel must vary to have a shape at all
MOST_TICKS = 16  # of the scale of colours


def finite(landscape: Landscape) -> np.ma.MaskedArray[Any, Any]:
    """The losses, with gaps where they are not finite.

    >>> from types import SimpleNamespace as Stub
    >>> import torch
    >>> int(finite(Stub(losses=torch.tensor([1.0, math.nan]))).count())
    1
    """
    return np.ma.masked_invalid(landscape.losses.numpy())


def range_of(landscapes: Sequence[Landscape]) -> tuple[float, float, bool]:
    """The smallest and the largest loss, and whether they are so far apart that a logarithmic scale shows more.

    >>> from types import SimpleNamespace as Stub
    >>> import torch
    >>> range_of([Stub(losses=torch.tensor([0.5, 2.0])), Stub(losses=torch.tensor([100.0]))])
    (0.5, 100.0, True)
    """
    values = np.concatenate([landscape.losses.numpy().ravel() for landscape in landscapes])
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    return low, high, low > 0.0 and high > low * 10**DECADES_FOR_LOG


def levels_of(landscapes: Sequence[Landscape]) -> list[float]:
    """Round numbers over all losses, and between them as many more as it takes to show the shape of each panel.

    One scale for all panels, on which a colour is the same loss everywhere; but steps of the size of the steepest
    panel's would leave a flat one in a single colour.

    >>> from types import SimpleNamespace as Stub
    >>> import torch
    >>> levels_of([Stub(losses=torch.linspace(0.0, 8.0, 50))])
    [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
    """
    low, high, logarithmic = range_of(landscapes)
    levels = set(_round_numbers(low, high, logarithmic))
    for landscape in landscapes:
        values = finite(landscape).compressed()
        if not values.size:
            continue
        low, high = float(values.min()), float(np.quantile(values, SHARE_OF_SHAPE))
        within = sum(low < level < high for level in levels)
        if within < LEVELS_OF_SHAPE and high - low > FLAT * max(abs(low), abs(high)):
            finer = _round_numbers(low, high, logarithmic=low > 0.0 and high > 10.0 * low)
            levels |= {level for level in finer if low < level < high}
    if len(levels) == 1:  # all losses are the same
        levels |= {level + max(abs(level), 1.0) for level in levels}
    return sorted(levels)


def _round_numbers(low: float, high: float, logarithmic: bool) -> list[float]:
    """Round numbers from at most the smallest value to at least the largest."""
    if not logarithmic:
        return [float(f"{level:.12g}") for level in MaxNLocator(9).tick_values(low, high)]
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    steps = (1, 2, 5) if last - first < 6 else (1,)
    # one more decade on either side, for a logarithm that was rounded to a whole number
    candidates = [float(f"{step}e{exponent}") for exponent in range(first - 1, last + 2) for step in steps]
    below = max(level for level in candidates if level <= low)
    above = min(level for level in candidates if level >= high)
    return [level for level in candidates if below <= level <= above]


def ticks_of(levels: Sequence[float]) -> list[float]:
    """The levels that the scale of colours has room to name: the first, the last, and evenly many between.

    >>> ticks_of([float(level) for level in range(21)])
    [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0]
    """
    every = -(-(len(levels) - 1) // MOST_TICKS)
    return [*levels[: -every or None : every], levels[-1]]
