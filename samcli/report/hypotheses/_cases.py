"""The runs that hypotheses are judged by, and what each of them has of a metric."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, cached_property
from typing import Any

from samcli.config.federated import OF_A_SERVER
from samcli.config.grid import Grid, flatten, token
from samcli.config.hypotheses import is_number
from samcli.config.pattern import Pattern
from samcli.config.schema import without_newer
from samcli.config.stages import is_of_optimizer, without_echoes
from samcli.metrics import LOSSES, higher_is_better, score_among, score_of
from samcli.report.hypotheses._lengths import alike
from samcli.report.hypotheses._sides import named_otherwise, told
from samcli.report.kept import KeptMeasure, kept_measures, kept_tests
from samcli.report.metric import kept_name, recorded_name
from samcli.report.reading import described, read_run
from samcli.report.younger import completed
from samcli.runs.reader import Run
from samcli.words import joined

GAP = "gap"  # the generalisation gap of the task's score
LESS = " - "  # between the two metrics of a difference
PER_EPOCH = ("train_seconds", "cpu_seconds", "eval_seconds")  # columns that have what each epoch took
FREE = ("seeds", "epochs")  # may differ between the two sides of a comparison, beside the optimizer's options

Stratum = tuple[tuple[str, Any], ...]
Flat = Mapping[str, Any]


class Untestable(Exception):
    """Why a hypothesis cannot be judged by these runs, in a sentence."""


class Cases:
    """Finished and diverged runs, one for each setting and seed.

    Args:
        runs: those.

    Attributes:
        flats: the settings of each run by dotted keys.
        alike: the same, with schedules of different lengths made comparable, without what stages have as the run
            itself, and without younger options at their default, which runs of an earlier version lack.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        self.runs = [run for run in runs if run.state in ("finished", "diverged")]
        self.flats = completed([flatten(run.config) for run in self.runs])
        self.alike = without_echoes(alike([flatten(without_newer(run.config)) for run in self.runs]))
        self._grid = Grid(self.flats, str)
        self._values: dict[str, list[float | None]] = {}

    def matching(self, pattern: Pattern | None) -> list[int]:
        """The numbers of the runs that a pattern asks for; all of them without one."""
        return list(range(len(self.runs))) if pattern is None else sorted(self._grid.holding(pattern))

    def metric(self, named: str | None, *patterns: Pattern | None) -> str:
        """The metric that is named, or else the test score of what the runs that all patterns ask for do.

        Raises:
            Untestable: their scores differ, and none is named.
        """
        if named not in (None, GAP):
            return kept_name(str(named), self._kept)
        sides = [{self._score(index) for index in self.matching(pattern)} - {""} for pattern in patterns]
        scores = sorted(set.intersection(*sides))
        if len(scores) > 1:
            raise Untestable(f"The runs have different scores, {joined(scores)}; name a metric, or the data of one.")
        return named or f"test_{scores[0] if scores else score_among([]).name}"

    def metric_less(self, named: str | None, less: str | None, *patterns: Pattern | None) -> str:
        """A metric, or what it is more than another, such as a test on damaged weights less the clean one.

        Raises:
            Untestable: they are scores of different kinds, or see `metric`.
        """
        metric = self.metric(named, *patterns)
        if less is None:
            return metric
        other = self.metric(less, *patterns)
        if score_of(metric) != score_of(other):
            raise Untestable(f"{metric} and {other} are scores of different kinds, whose difference says nothing.")
        return f"{metric}{LESS}{other}"

    def _score(self, index: int) -> str:
        columns = tuple(self.runs[index].columns)
        return _score(columns) if any(map(score_of, columns)) else ""

    def levels(self, axis: str, members: Iterable[int]) -> list[float]:
        """The numbers that an axis has among these runs, rising."""
        found: set[Any] = {self.flats[index].get(axis) for index in members}
        return sorted(float(value) for value in found if is_number(value))

    def values(self, metric: str) -> list[float | None]:
        """What each run has of a metric at its end, of seconds over all its epochs; of a diverged run's score or loss
        the worst that any run there has.

        Raises:
            Untestable: no run has it.
        """
        if metric not in self._values:
            one, less, other = metric.partition(LESS)
            if less:
                pairs = zip(self.values(one), self.values(other), strict=True)
                self._values[metric] = [None if a is None or b is None else a - b for a, b in pairs]
            else:
                self._values[metric] = self._read(metric)
        if all(value is None for value in self._values[metric]):
            raise Untestable(f"No run has measured {metric}.")
        return self._values[metric]

    def _read(self, metric: str) -> list[float | None]:
        kept = self._kept.get(metric)
        if kept is not None:
            return [kept.values.get(run.folder) for run in self.runs]
        columns = {name for run in self.runs for name in run.columns}
        if metric not in columns:  # the name of a measure is that of its column as well
            metric = recorded_name(metric, columns) or metric
        if metric == GAP:
            return [_gap(run) for run in self.runs]
        read = _total if metric in PER_EPOCH else _last
        found = [read(run, metric) if metric in run.columns else None for run in self.runs]
        finished = [value if run.state == "finished" else None for run, value in zip(self.runs, found, strict=True)]
        if score_of(metric) is None and metric not in LOSSES:
            return finished
        return [
            value if run.state == "finished" else self._worst(metric, run, finished)
            for run, value in zip(self.runs, finished, strict=True)
        ]

    def _worst(self, metric: str, of: Run, values: Sequence[float | None]) -> float | None:
        there = [v for run, v in zip(self.runs, values, strict=True) if v is not None and run.place == of.place]
        if metric == "test_accuracy" and (classes := described(of, "classes")):
            there.append(1.0 / classes)
        return (min if higher_is_better(metric) else max)(there, default=None)

    @cached_property
    def _kept(self) -> dict[str, KeptMeasure]:
        return {one.name: one for one in [*kept_measures(self.runs), *kept_tests(self.runs)]}


def unit_of(metric: str) -> str:
    """The metric in whose unit a value is, and by which it is better or worse: of a difference the first one.

    >>> unit_of("test_accuracy - train_accuracy"), unit_of("lambda-max")
    ('test_accuracy', 'lambda-max')
    """
    return metric.partition(LESS)[0]


def stratum_of(flat: Flat, without: frozenset[str]) -> Stratum:
    """What runs that are compared have in common: all settings but those of the optimizer and some others.

    >>> stratum_of({"optimizer.lr": 0.1, "dataset.name": "wine", "seeds": 3}, frozenset())
    (('dataset.name', ('text', 'wine')),)
    """
    return tuple(
        (key, token(value))
        for key, value in sorted(flat.items())
        if key not in FREE and key not in without and not key.startswith("optimizer.")
    )


def by_stratum(
    cases: Cases, members: Iterable[int], values: Sequence[float | None], without: frozenset[str], what: str
) -> dict[Stratum, dict[int, float]]:
    """For each stratum the values by seed.

    Raises:
        Untestable: a stratum has two runs of one seed, so that it is not said which setting is meant.
    """
    found: dict[Stratum, dict[int, int]] = defaultdict(dict)
    for index in members:
        here, seed = found[stratum_of(cases.alike[index], without)], cases.runs[index].seed
        if seed in here:
            one, other = cases.flats[here[seed]], cases.flats[index]
            keys = [key for key in {**one, **other} if one.get(key) != other.get(key)]
            raise Untestable(f"{what} stands for several settings, which differ in {joined(sorted(keys))}; name one.")
        here[seed] = index
    return {
        stratum: kept
        for stratum, runs in found.items()
        if (kept := {seed: value for seed, index in runs.items() if (value := values[index]) is not None})
    }


def contrast(cases: Cases, ours: Pattern, theirs: Pattern) -> frozenset[str]:
    """The keys in which two sides are meant to differ: both name them, with other values.

    With a name come the options that only one of the two has: a schedule's milestones, a model's depth; with the
    optimizer of a stage all of its options, and with the server of clients those of its own.
    """
    found = named_otherwise(ours, theirs)
    stages = tuple(f"{key.partition('.')[0]}." for key in found if key.startswith("stage") and is_of_optimizer(key))
    blocks = tuple(key.removesuffix("name") for key in found if key.endswith(".name"))
    one, other = ({key for index in cases.matching(side) for key in cases.flats[index]} for side in (ours, theirs))
    found |= {key for key in one | other if key.startswith(stages) and is_of_optimizer(key)}
    if "federated.server" in found:
        found |= {f"federated.{key}" for key in OF_A_SERVER}
    return frozenset(found | {key for key in one ^ other if key.startswith(blocks)})


def paired(
    cases: Cases, ours: Pattern, theirs: Pattern, metric: str
) -> dict[Stratum, tuple[dict[int, float], dict[int, float]]]:
    """The values of two sides by seed, for each stratum that both have.

    Raises:
        Untestable: there is none, or it is not said which setting is meant.
    """
    values, without = cases.values(metric), contrast(cases, ours, theirs)
    first = by_stratum(cases, cases.matching(ours), values, without, told(ours))
    second = by_stratum(cases, cases.matching(theirs), values, without, told(theirs))
    both = {stratum: (first[stratum], second[stratum]) for stratum in first if stratum in second}
    if not both:
        raise Untestable(
            f"No finished runs of {told(ours)} and {told(theirs)} with the same data and model have {metric}."
        )
    return both


def mean_over_strata(strata: Sequence[Mapping[int, float]]) -> dict[int, float]:
    """The mean over strata of each seed that all of them have.

    >>> mean_over_strata([{0: 1.0, 1: 2.0}, {0: 3.0}])
    {0: 2.0}
    """
    seeds = set.intersection(*(set(one) for one in strata)) if strata else set()
    return {seed: sum(one[seed] for one in strata) / len(strata) for seed in sorted(seeds)}


def require_same_strata(axis: str, at_levels: Iterable[Iterable[Stratum]]) -> None:
    """Refuse levels of an axis that are means over different data, models or settings: they do not compare.

    Raises:
        Untestable: they are.

    >>> require_same_strata("optimizer.rho", [[()], [()]])
    """
    levels = [{tuple(pair for pair in stratum if pair[0] != axis) for stratum in here} for here in at_levels]
    if any(here != levels[0] for here in levels):
        raise Untestable(
            f"Not all values of {axis} have finished runs of the same data, models and settings, so that their "
            "means do not compare; name those that have."
        )


@cache
def _score(columns: tuple[str, ...]) -> str:
    return score_among(columns).name


def _last(run: Run, metric: str) -> float | None:
    return read_run(run, metric).last


def _total(run: Run, metric: str) -> float | None:
    """The sum over epochs; None where one has none, unless only some epochs are evaluated."""
    values = [value for value in run.values(metric) if not math.isnan(value) or metric != "eval_seconds"]
    total = sum(values)
    return total if values and math.isfinite(total) else None


def _gap(run: Run) -> float | None:
    """The generalisation gap of a finished run's score at its end."""
    name = _score(tuple(run.columns))
    score = score_of(f"test_{name}")
    ends = [read_run(run, f"{part}_{name}").last if f"{part}_{name}" in run.columns else None for part in PARTS]
    if run.state != "finished" or score is None or ends[0] is None or ends[1] is None:
        return None
    return score.gap(train=ends[0], test=ends[1])


PARTS = ("train", "test")
