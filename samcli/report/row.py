"""A row of a comparison, and the comparison itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from samcli.report.judgement import Judgement
from samcli.report.settings import flatten, method
from samcli.report.timing import Timing
from samcli.report.to_target import ToTarget
from samcli.stats import PairedDifference, Summary, Verdict


@dataclass(frozen=True)
class Row:
    """The runs of one setting, over their seeds. Values are in the metric's own unit: accuracies from 0 to 1.

    Attributes:
        dataset, model, optimizer: names.
        dataset_label: how people say the name of the data set, see `samcli.report.settings.spoken`.
        dataset_settings, model_settings, settings: the options that tell the row from others.
        metric: the column of `metrics.csv` that is compared.
        last: the metric after the last epoch, or the last within the budget; finished runs only.
        best: the best value over the epochs up to there. It is chosen on the values it reports: optimistic.
        by_seed: the values behind `last`.
        difference: that of `counted` to the baseline, paired by seed; None for a baseline and without one.
        compared_to: the settings of the baseline row behind `difference`.
        sharpness: mean of the last measured one-step sharpness.
        seconds: training seconds of an epoch, median over epochs, mean over seeds.
        passes: gradient evaluations of an epoch relative to the baseline's.
        cost: seconds of an epoch relative to the baseline's, see `samcli.report.timing.cost`.
        cost_clock: the clock of `cost`, "wall" or "cpu".
        timings: the seconds and gradient evaluations of the epochs, by seed.
        at_chance: the seeds whose network tells nothing, see `samcli.report.doubts.is_at_chance`.
        before: how many epochs before the last one within the budget `last` was measured, in the run where most.
        diverged: the seeds whose runs diverged.
        counted: the values behind `difference`: `by_seed`, and for diverged runs what they count as, see
            `samcli.report.judged.with_failures`.
        to_target: what its runs spend until they reach a target, if there is one.
        verdict: what may be said of `difference`, among all comparisons of the table.
        states: how many runs finished, diverged, failed, were interrupted, are running.
        is_baseline: whether others are compared to rows like this one.
        config: the resolved configuration, without its name and seed.
        setting: the one that its runs have in common, see `samcli.runs.Run.setting`.
        place: their data set and model, see `samcli.runs.Run.place`; rows of one place may be compared.
    """

    dataset: str
    dataset_label: str
    dataset_settings: str
    model: str
    model_settings: str
    optimizer: str
    settings: str
    metric: str
    last: Summary
    best: Summary
    by_seed: Mapping[int, float]
    sharpness: float | None
    seconds: float | None
    states: Mapping[str, int]
    is_baseline: bool
    config: Mapping[str, Any]
    setting: str
    place: str
    difference: PairedDifference | None = None
    compared_to: str | None = None
    passes: float | None = None
    cost: float | None = None
    cost_clock: str | None = None
    timings: Mapping[int, Timing] = field(default_factory=dict)
    at_chance: tuple[int, ...] = ()
    before: int = 0
    diverged: tuple[int, ...] = ()
    counted: Mapping[int, float] = field(default_factory=dict)
    verdict: Verdict | None = None
    to_target: ToTarget | None = None

    @cached_property
    def flat(self) -> Mapping[str, str]:
        """The configuration with dotted keys, as texts, see `samcli.report.settings.flatten`."""
        return flatten(self.config)

    @property
    def where(self) -> str:
        """Data set and model in words, with the options that tell them from others."""
        parts = [(self.dataset_label, self.dataset_settings), (self.model, self.model_settings)]
        return ", ".join(" ".join(filter(None, part)) for part in parts)

    @property
    def method(self) -> str:
        """The optimizer as one of those that are compared, see `samcli.report.settings.method`."""
        return method(self.config)

    @property
    def who(self) -> str:
        """The optimizer in words, with the options that tell it from others."""
        return " ".join(filter(None, (self.optimizer, self.settings)))

    @property
    def n(self) -> int:
        """The number of runs in the means."""
        return self.last.n


@dataclass(frozen=True)
class Comparison:
    """Rows in the order of a table, what a reader must know about them, and what became of the hypotheses.

    `origin` says where the numbers come from, see `samcli.report.origin`.
    """

    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    baseline: str
    budget: str
    margin: float | None = None
    judgements: tuple[Judgement, ...] = ()
    select: str = "last"
    target: float | None = None
    origin: str = ""
