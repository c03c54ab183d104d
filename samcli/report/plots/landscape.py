"""The training loss around trained networks, on the slices that `samcli landscape` has kept."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from samcli.errors import NothingToCompare
from samcli.report.groups import grouped
from samcli.report.plot import Panel, Plot, Point, Quantity, Series, spans
from samcli.report.plots._settings import MOST_LINES, Setting, over_seeds, plot_of, settings_of
from samcli.report.slices import slices_of, usual_cut
from samcli.runs.reader import Run
from samcli.stats import summarise
from samcli.words import count

SPAN_FOR_LOG = 100.0  # between losses, from which their axis is logarithmic
ALONG = {
    "random": "along a random direction, in units of the filters' norms",
    "leading": "along the leading eigenvector of the Hessian",
}


def landscapes(runs: Sequence[Run], *, limited: bool = True) -> Plot:
    """The mean over seeds of the training loss along a line through the weights, for each setting.

    Of slices that were cut in several ways those count that most runs have, of several the last ones made.

    Args:
        runs: any runs; those that have no slice are left out, which a note says.
        limited: whether there may be no more lines and panels than one picture has room for.

    Raises:
        NothingToCompare: no finished run has a slice along a line, or none a point with finite losses.
        ConfigError: there are too many settings for one picture.

    >>> from samcli.report.example import example_runs
    >>> landscapes(example_runs())
    Traceback (most recent call last):
    samcli.errors.NothingToCompare: No finished run has a landscape; make some first: samcli landscape RESULTS
    """
    settings, notes = settings_of(runs)
    kept = {run.folder: slices_of(run, dimensions=1) for setting in settings for run in setting.runs}
    if (usual := usual_cut(kept.values())) is None:
        raise NothingToCompare("No finished run has a landscape; make some first: samcli landscape RESULTS")
    how, ways = usual
    key = json.loads(how)
    without = sum(how not in lines for lines in kept.values())
    if without:
        notes.append(f"{count(without, 'finished run')} without such a slice left out.")
    if ways > 1:
        notes.append(
            f"Slices were cut in {ways} ways; drawn are those with directions {key['directions']}, seed "
            f"{key['seed']}, {key['points']} points to a span of {key['span']:g} and {key['examples']} examples."
        )
    if not all(lines[how]["converged"] for lines in kept.values() if how in lines):
        notes.append("Some eigenvectors have not converged: their directions are roughly the leading ones.")
    panels = []
    for here in grouped(settings, lambda setting: setting.runs[0].place).values():
        found = [
            (setting, [kept[run.folder][how] for run in setting.runs if how in kept[run.folder]]) for setting in here
        ]
        drawn = [_series(setting, entries) for setting, entries in found if entries]
        series = [one for one in drawn if one.points]
        if len(series) < len(drawn):
            notes.append(f"{count(len(drawn) - len(series), 'setting')} without a finite loss left out.")
        if series:
            losses = [point.y for one in series for point in one.points]
            (loss, *_) = (entries[0]["loss"] for _, entries in found if entries)
            x = Quantity("alpha", f"distance {ALONG.get(key['directions'], key['directions'])}")
            y = Quantity("train_loss", f"training loss ({loss})", is_logarithmic=spans(losses, SPAN_FOR_LOG))
            panels.append(Panel(here[0].where(), x, y, tuple(series)))
    if not panels:
        raise NothingToCompare(
            "No landscape has a point at which the losses of all seeds are finite; cut narrower ones: --span 0.1"
        )
    caption = f"{over_seeds(panels, 'bands')}; evaluation mode, {count(key['examples'], 'training example')} at most"
    most = MOST_LINES if limited else None
    return plot_of(panels, runs, notes, title="around the trained weights", caption=caption, most=most)


def _series(setting: Setting, entries: Sequence[Mapping[str, Any]]) -> Series:
    """The mean over slices at each point at which all of them are finite."""
    at: dict[float, list[float]] = defaultdict(list)
    for entry in entries:
        for x, y in zip(entry["axes"][0], entry["losses"], strict=True):
            if isinstance(y, float | int) and math.isfinite(y):
                at[x].append(y)
    points = []
    for x, losses in sorted(at.items()):
        mean = summarise(losses)
        if len(losses) == len(entries) and mean.mean is not None:
            points.append(Point(x, mean.mean, y_sd=mean.sd, n=mean.n))
    return Series(setting.name(), tuple(points))
