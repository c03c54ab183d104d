"""What runs cost: gradient evaluations, which are exact, and seconds by the clock that was disturbed less.

Wall seconds also count what else the machine does meanwhile; CPU seconds count threads that only wait for each other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

from samcli.runs.reader import Run

CLOCKS = {"wall": "wall seconds", "cpu": "CPU seconds"}
STEADY = 2.0  # the factor by which the slowest epoch of an undisturbed run may exceed the median one


@dataclass(frozen=True)
class Timing:
    """The epochs of one run.

    Attributes:
        gradients: gradient evaluations of each epoch, in examples; empty where not recorded.
        wall: training seconds of each epoch; empty where not recorded.
        cpu: CPU seconds of the process likewise; empty too where an accelerator did the work.
    """

    gradients: tuple[float, ...]
    wall: tuple[float, ...]
    cpu: tuple[float, ...]

    def seconds(self, clock: str) -> tuple[float, ...]:
        """The seconds of each epoch by a clock, "wall" or "cpu"."""
        return self.wall if clock == "wall" else self.cpu


@dataclass(frozen=True)
class Cost:
    """Seconds of an epoch relative to a baseline's.

    Attributes:
        ratio: of the medians over epochs, each a mean over runs.
        clock: the one that it is by, "wall" or "cpu".
    """

    ratio: float
    clock: str


def timing(run: Run) -> Timing:
    """The epochs of a run.

    >>> from samcli.report.example import example_runs
    >>> timing(example_runs()[2])
    Timing(gradients=(2000.0, 2000.0), wall=(2.0, 2.0), cpu=())
    """
    so_far = _measured(run, "gradient_evaluations")
    on_cpu = str(run.status.get("device", "cpu")) == "cpu"
    return Timing(
        gradients=tuple(now - before for before, now in zip((0.0, *so_far), so_far, strict=False)),
        wall=_measured(run, "train_seconds"),
        cpu=_measured(run, "cpu_seconds") if on_cpu else (),
    )


def passes(row: Sequence[Timing]) -> float | None:
    """Gradient evaluations of an epoch, mean over runs; None where a run has not recorded them.

    >>> passes([Timing((2000.0, 2000.0), (), ()), Timing((2000.0, 1000.0), (), ())])
    1750.0
    """
    return fmean(fmean(one.gradients) for one in row) if row and all(one.gradients for one in row) else None


def evaluations(row: Sequence[Timing]) -> float | None:
    """Gradient evaluations of the whole training, mean over runs; None where a run has not recorded them.

    >>> evaluations([Timing((2000.0, 2000.0), (), ()), Timing((2000.0, 1000.0), (), ())]), evaluations([])
    (3500.0, None)
    """
    return fmean(sum(one.gradients) for one in row) if row and all(one.gradients for one in row) else None


def seconds(row: Sequence[Timing], clock: str = "wall") -> float | None:
    """Seconds of an epoch, median over epochs, mean over the runs that recorded them; None without any.

    >>> seconds([Timing((), (9.0, 1.0, 1.0), ()), Timing((), (2.0, 2.0), ())])
    1.5
    """
    medians = [median(found) for one in row if (found := one.seconds(clock))]
    return fmean(medians) if medians else None


def cost(row: Sequence[Timing], baseline: Sequence[Timing]) -> Cost | None:
    """The cost of runs relative to others', by the clock that was disturbed less; None where nothing was recorded.

    CPU seconds are taken where all these runs have them and wall seconds per gradient evaluation stray further: their
    largest over their median, over all epochs of both.

    >>> quiet, busy = Timing((100.0,) * 3, (1.0,) * 3, (1.0,) * 3), Timing((200.0,) * 3, (36.0,) * 3, (2.0,) * 3)
    >>> cost([busy], [quiet])
    Cost(ratio=2.0, clock='cpu')
    """
    both = [*row, *baseline]
    clock = "cpu" if all(one.cpu for one in both) and _strays(both, "cpu") < _strays(both, "wall") else "wall"
    ours, theirs = seconds(row, clock), seconds(baseline, clock)
    return Cost(ours / theirs, clock) if ours and theirs else None


def unsteady(one: Timing, clock: str) -> bool:
    """Whether the slowest epoch of a run took more than twice as long as its median one, the first one aside.

    >>> unsteady(Timing((), (1.0, 1.0, 1.0, 2.5), ()), "wall"), unsteady(Timing((), (9.0, 1.0, 1.5), ()), "wall")
    (True, False)
    """
    found = one.seconds(clock)[1:]
    return bool(found) and max(found) > STEADY * median(found)


def _strays(timings: Sequence[Timing], clock: str) -> float:
    rates = [
        seconds / gradients
        for one in timings
        for seconds, gradients in zip(one.seconds(clock), one.gradients, strict=False)
        if gradients > 0.0
    ]
    return max(rates) / median(rates) if rates and median(rates) > 0.0 else math.inf


def _measured(run: Run, column: str) -> tuple[float, ...]:
    """The values of a column; none where one is missing, since epochs would be taken for others."""
    values = run.values(column)
    return tuple(values) if all(map(math.isfinite, values)) else ()
