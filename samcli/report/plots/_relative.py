"""What training costs relative to a baseline: gradient evaluations, or seconds by the clock that was disturbed less."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from statistics import fmean, median

from samcli.report.order import by_size
from samcli.report.plots._settings import Setting
from samcli.report.settings import Config
from samcli.report.timing import cost, timing
from samcli.runs.reader import Run
from samcli.stats import Summary, summarise


def reference_of(here: Sequence[Setting], is_baseline: Callable[[Config], bool]) -> Setting | None:
    """What costs 1 among the settings of a panel: of several baselines the one with fewest gradient evaluations, the
    first by its name; None without one that has recorded them.
    """
    found = [setting for setting in here if is_baseline(setting.config) and _gradients(setting.runs)]
    return min(found, key=lambda one: (fmean(_gradients(one.runs)), by_size(one.name())), default=None)


def relative_cost(runs: Sequence[Run], reference: Setting, over: str) -> tuple[Summary | None, str]:
    """The cost of the whole training of runs relative to the mean one of a reference, and the clock of seconds.

    Args:
        runs: of one setting.
        reference: what costs 1.
        over: "gradients", or "seconds" of the median epoch times the number of epochs.

    Returns:
        None where a run has not recorded it.
    """
    clock = ""
    if over == "gradients":
        ours, theirs = _gradients(runs), _gradients(reference.runs)
    else:
        found = cost(list(map(timing, runs)), list(map(timing, reference.runs)))
        clock = found.clock if found else ""
        ours, theirs = (list(_seconds(some, clock)) for some in (runs, reference.runs))
    if not (ours and theirs and all(ours) and all(theirs)):
        return None, clock
    return summarise(total / fmean(theirs) for total in ours), clock


def _gradients(runs: Sequence[Run]) -> list[float]:
    """The gradient evaluations of each run; none where one has not recorded them."""
    totals = [sum(timing(run).gradients) for run in runs]
    return totals if all(totals) else []


def _seconds(runs: Sequence[Run], clock: str) -> Iterator[float]:
    """The seconds of each run: those of its median epoch, which a disturbance does not touch, for all its epochs."""
    for run in runs:
        seconds = timing(run).seconds(clock) if clock else ()
        yield median(seconds) * len(seconds) if seconds else 0.0
