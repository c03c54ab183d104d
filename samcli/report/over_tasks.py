"""Optimizers over several data sets and models: one number for all, ranks, and how often each is near the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from samcli.errors import ConfigError, NothingToCompare
from samcli.metrics import higher_is_better, shown, title
from samcli.report.chosen import VALIDATION
from samcli.report.groups import grouped
from samcli.report.order import by_size
from samcli.report.row import Comparison, Row
from samcli.report.small_table import SmallTable
from samcli.report.to_target import UNITS
from samcli.stats import Word
from samcli.stats.several_tasks import (
    FEW_SEEDS,
    Aggregate,
    mean_ranks,
    performance_profile,
    stratified_interquartile_mean,
)
from samcli.words import count, joined, some_of

FACTORS = (1.0, 2.0, 4.0)  # of what the best spends, at which a performance profile is read
MOST_NAMED = 5  # in a sentence on what is left out


@dataclass(frozen=True)
class OverTasks:
    """One optimizer with its settings, over tasks: a task is a data set and a model, with their options.

    Attributes:
        who: the optimizer in words.
        is_baseline: whether it is what others are compared to on every task.
        runs: how many runs it has, over all tasks; diverged ones count as the worst value of their task.
        score: the interquartile mean of the metric over all of them.
        rank: the mean rank over tasks by the mean over seeds; 1 is the best.
        better, worse: on how many tasks that is the verdict on its difference to the baseline.
        within: the share of the tasks on which it spends at most so many times what the best one spends until the
            target; empty without a target.
    """

    who: str
    is_baseline: bool
    runs: int
    score: Aggregate
    rank: float
    better: int
    worse: int
    within: Mapping[float, float]


def over_tasks(comparison: Comparison) -> tuple[list[OverTasks], list[str]]:
    """Each optimizer that has results on every task, the baseline first, and sentences on those that have not.

    Optimizers with other settings are others, unless the comparison has chosen settings on validation: then each
    stands with those that were chosen on each task.

    Raises:
        NothingToCompare: fewer than two tasks, or no optimizer has results on all of them.
        ConfigError: the tasks have different metrics.

    >>> from samcli.report import compare
    >>> from samcli.report.example import example_runs
    >>> over_tasks(compare(example_runs()))
    Traceback (most recent call last):
    samcli.errors.NothingToCompare: These runs are of one data set and model; name those of several.
    """
    rows = [row for row in comparison.rows if row.counted]
    tasks = {place: here[0].where for place, here in grouped(rows, lambda row: row.place).items()}
    if len(tasks) < 2:
        raise NothingToCompare("These runs are of one data set and model; name those of several.")
    metrics = list(dict.fromkeys(row.metric for row in rows))
    if len(metrics) > 1:
        raise ConfigError(
            f"One number for several tasks needs one metric, not {joined(metrics)}; name one with --metric, such as "
            "test_loss, or the folders of runs that have the same."
        )
    methods = grouped(rows, (lambda row: row.method) if comparison.select == VALIDATION else (lambda row: row.who))
    whole = {who: here for who, here in methods.items() if len({row.place for row in here}) == len(tasks)}
    if not whole:
        raise NothingToCompare(
            f"No optimizer has the same settings on all {len(tasks)} data sets and models; with --select validation "
            "each stands with those that are best on validation."
        )
    turn = 1.0 if higher_is_better(metrics[0]) else -1.0
    ranks = mean_ranks(
        {
            place: {who: turn * fmean(_at(here, place).counted.values()) for who, here in whole.items()}
            for place in tasks
        }
    )
    profiles = _profiles(whole, tasks) if comparison.target is not None else {}
    found = [
        OverTasks(
            who=who,
            is_baseline=all(row.is_baseline for row in here),
            runs=sum(len(row.counted) for row in here),
            score=stratified_interquartile_mean({row.place: list(row.counted.values()) for row in here}),
            rank=ranks[who],
            better=_verdicts(here, Word.BETTER),
            worse=_verdicts(here, Word.WORSE),
            within={factor: _read(profiles[who], factor) for factor in FACTORS} if profiles else {},
        )
        for who, here in sorted(whole.items(), key=lambda pair: (not pair[1][0].is_baseline, by_size(pair[0])))
    ]
    return found, _notes(tasks, methods, whole)


def over_tasks_table(comparison: Comparison) -> SmallTable:
    """A row for each optimizer over all tasks, for any of the formats of a comparison.

    Raises:
        NothingToCompare, ConfigError: see `over_tasks`.
    """
    found, notes = over_tasks(comparison)
    metric = next(row.metric for row in comparison.rows if row.counted)
    legend = [
        f"IQM: interquartile mean of {title(metric)} over the runs of all tasks; its 95 % interval, by a bootstrap "
        f"within tasks, is approximate{_too_narrow(comparison)}. It is the mean of the middle half: what the worst "
        "quarter of the runs did, the ranks tell.",
        "Rank: by the mean over seeds, mean over tasks; 1 is the best.",
        f"Better, worse: on how many tasks that is the verdict against {comparison.baseline}.",
    ]
    if comparison.target is not None:
        legend.append(
            f"≤ 2×: share of the tasks on which at most twice the {UNITS[comparison.budget]} of the best are spent "
            f"until {title(metric)} reaches {shown(comparison.target, metric)}."
        )
    texts = [_texts(one, metric) for one in found]
    name = 0.22 if comparison.target is not None else 0.4  # of the line
    return SmallTable(
        caption=f"{title(metric)[:1].upper()}{title(metric)[1:]} over several tasks.",
        texts=texts,
        records=[_record(one, metric) for one in found],
        legend=[*legend, *(f"Note: {note}" for note in notes)],
        dispensable=("Runs", "≤ 4×", "95 % interval", "≤ 1×", "Worse", "Better"),
        columns=rf"p{{{name}\linewidth}}{'r' * (len(texts[0]) - 1)}",
    )


def _at(rows: Sequence[Row], place: str) -> Row:
    return next(row for row in rows if row.place == place)


def _verdicts(rows: Sequence[Row], word: Word) -> int:
    return sum(row.verdict is not None and row.verdict.word is word for row in rows)


def _profiles(whole: Mapping[str, Sequence[Row]], tasks: Mapping[str, str]) -> dict[str, list[tuple[float, float]]]:
    spent = {}
    for place in tasks:
        found = {who: _at(here, place).to_target for who, here in whole.items()}
        spent[place] = {who: float("inf") if one is None else one.median for who, one in found.items()}
    return performance_profile(spent, most=FACTORS[-1])


def _read(profile: Sequence[tuple[float, float]], factor: float) -> float:
    return max((share for step, share in profile if step <= factor), default=0.0)


def _notes(
    tasks: Mapping[str, str], methods: Mapping[str, Sequence[Row]], whole: Mapping[str, Sequence[Row]]
) -> list[str]:
    notes = [f"The tasks are {'; '.join(sorted(tasks.values(), key=by_size))}."]
    missing = sorted((who for who in methods if who not in whole), key=by_size)
    if missing:
        notes.append(f"Left out, for not all tasks have results of it: {some_of(missing, MOST_NAMED)}.")
    numbers = sorted({len(row.counted) for here in whole.values() for row in here})
    if len(numbers) > 1:
        notes.append(f"Tasks count by their runs, of which there are {numbers[0]} to {count(numbers[-1], 'seed')}.")
    return notes


def _too_narrow(comparison: Comparison) -> str:
    few = any(0 < len(row.counted) < FEW_SEEDS for row in comparison.rows)
    return f" and with fewer than {FEW_SEEDS} seeds too narrow" if few else ""


def _texts(one: OverTasks, metric: str) -> dict[str, str]:
    low, high = one.score.low, one.score.high
    return {
        "Optimizer": one.who,
        "Runs": str(one.runs),
        "IQM": shown(one.score.value, metric),
        "95 % interval": "" if low is None or high is None else f"[{shown(low, metric)}, {shown(high, metric)}]",
        "Rank": f"{one.rank:.2f}",
        "Better": "" if one.is_baseline else str(one.better),
        "Worse": "" if one.is_baseline else str(one.worse),
        **{f"≤ {factor:g}×": f"{share:.2f}" for factor, share in one.within.items()},
    }


def _record(one: OverTasks, metric: str) -> dict[str, object]:
    return {
        "optimizer": one.who,
        "is_baseline": one.is_baseline,
        "metric": metric,
        "runs": one.runs,
        "interquartile_mean": one.score.value,
        "low": one.score.low,
        "high": one.score.high,
        "mean_rank": one.rank,
        "better": one.better,
        "worse": one.worse,
        **{f"within_{factor:g}": share for factor, share in one.within.items()},
    }
