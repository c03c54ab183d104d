"""The comparison of runs: one row for each setting over its seeds, each against the baseline, paired by seed."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from samcli.errors import ConfigError, NothingToCompare, nearest
from samcli.report.baseline import baseline_matcher
from samcli.report.chosen import EPOCH, VALIDATION, chosen_rows, validation_of
from samcli.report.conditions import require_same_conditions
from samcli.report.doubts import is_at_chance
from samcli.report.groups import grouped, one_per_seed
from samcli.report.judged import with_failures, with_verdicts
from samcli.report.judging import judged_experiments
from samcli.report.metric import check_shares, task_metric, with_metric
from samcli.report.nearest import Nearest
from samcli.report.notes import collect_notes
from samcli.report.order import in_order
from samcli.report.origin import origin
from samcli.report.reading import Reading, read_run, smallest_total
from samcli.report.row import Comparison, Row
from samcli.report.settings import Config, distinguishing, label, spoken, unsaid
from samcli.report.timing import cost, passes, seconds, timing
from samcli.report.to_target import to_target
from samcli.runs.reader import NO_SETTINGS, Run
from samcli.stats import paired_difference, summarise

BUDGETS = ("epochs", "gradients", "seconds")


def compare(
    runs: Sequence[Run],
    *,
    baseline: str = "sgd",
    metric: str | None = None,
    budget: str = "epochs",
    margin: float | None = None,
    select: str = "last",
    target: float | None = None,
) -> Comparison:
    """Compare runs by setting, over seeds.

    Only finished runs enter the means. A row's baseline is, among the rows that `baseline` names with the same data set
    and model, options included, the one that shares most settings with it; of several the best.

    Args:
        runs: any runs; of two with the same configuration and seed the finished one counts, else the later one.
        baseline: what the others are compared to: an optimizer, or one with settings, see `baseline_matcher`.
        metric: a column of `metrics.csv`, or a measure of sharpness or a robustness test that is kept, see
            `with_metric`; by default the test score of the task, such as `test_accuracy`.
        budget: what the runs have equal: "epochs" reads each run at its last epoch; "gradients" and "seconds" at the
            last epoch within the smallest total of gradient evaluations or training seconds among the finished runs
            of the same data set and model.
        margin: differences below it are practically none, in the unit of the metric; None calls nothing equal.
        select: what is chosen on the validation part: nothing for "last"; for "epoch" the epoch at which each run is
            read; for "validation" the setting of each optimizer, which has then one row on a data set and model.
        target: a value of the metric; each row then tells what of the budget its runs spend until they reach it.

    Raises:
        NothingToCompare: no runs.
        ConfigError: no run has the metric or a setting of the baseline, there is no such budget or selection, nothing
            to choose by, a margin or target that cannot be one, or runs that should have equal seconds were timed under
            different conditions.

    >>> from samcli.report.example import example_runs
    >>> better, _ = compare(example_runs()).rows
    >>> better.who, better.n, better.last.mean, round(better.difference.mean, 3)
    ('sam rho=0.05', 2, 0.825, 0.1)
    """
    if not runs:
        raise NothingToCompare("There are no runs to compare; train some first: samcli train")
    if budget not in BUDGETS:
        raise ConfigError(f"There is no budget named {budget!r}; {nearest(budget, BUDGETS)}")
    if margin is not None and not 0.0 < margin < math.inf:
        least = "above 0 and finite" if margin == math.inf else "above 0"
        raise ConfigError(f"--margin must be {least}, not {margin:g}; of accuracies 0.005 is half a point.")
    if metric is not None:
        metric, runs = with_metric(metric, runs)
    single, duplicates = one_per_seed(runs)
    places = grouped(single, lambda run: run.place)
    finished = {place: [run for run in group if run.state == "finished"] for place, group in places.items()}
    if budget == "seconds":
        for group in places.values():
            require_same_conditions(group, instead="--budget gradients")
    limits = {place: smallest_total(group, budget) for place, group in finished.items()}
    metrics = {place: metric or task_metric(group) for place, group in places.items()}
    check_shares(metrics.values(), target=target, margin=margin)
    chosen_by = {place: validation_of(metrics[place], select, group) for place, group in places.items()}
    settings = list(grouped(single, lambda run: run.setting).values())
    configs = [group[0].config for group in settings]
    is_baseline = baseline_matcher(baseline, configs)
    labels = spoken(config["dataset"]["name"] for config in configs)
    rows = []
    for group, words in zip(settings, distinguishing(configs), strict=True):
        place = group[0].place
        readings = {
            run.seed: read_run(
                run, metrics[place], budget, limits[place], chosen_by[place] if select == EPOCH else None
            )
            for run in group
            if run.state == "finished"
        }
        rows.append(_row(group, readings, words, labels, metrics[place], is_baseline))
    by_setting = {group[0].setting: group for group in settings}
    chosen: list[str] = []
    rows = with_failures(rows, places)
    if select == VALIDATION:
        rows, chosen = chosen_rows(rows, by_setting, chosen_by)
    if target is not None:
        rows = _with_targets(rows, by_setting, target, budget)
    baselines = grouped([row for row in rows if row.is_baseline and row.n], lambda row: row.place)
    references = {place: Nearest(group) for place, group in baselines.items()}
    rows = in_order(with_verdicts([_against_baseline(row, references.get(row.place)) for row in rows], margin))
    notes = collect_notes(rows, baseline, budget, limits, places, duplicates)
    judgements, whose = judged_experiments(runs)
    notes[:0] = [*whose, *chosen]
    if left_out := unsaid(configs):
        named = " and ".join(f"{key}={value}" for key, value in left_out.items())
        notes.insert(0, f"Rows that do not say otherwise have {named}.")
    return Comparison(
        tuple(rows), tuple(notes), baseline, budget, margin, tuple(judgements), select, target, origin(single, budget)
    )


def _with_targets(rows: Sequence[Row], settings: Mapping[str, Sequence[Run]], target: float, budget: str) -> list[Row]:
    """The rows with what their runs spend until they reach the target.

    Raises:
        ConfigError: the target is no number.
    """
    if not math.isfinite(target):
        raise ConfigError("--target must be a number in the metric's unit: 0.9 is an accuracy of 90 %.")
    return [
        dataclasses.replace(
            row,
            to_target=to_target(settings[row.setting], list(row.by_seed.values()), row.metric, target, budget),
        )
        for row in rows
    ]


def _row(
    group: Sequence[Run],
    readings: Mapping[int, Reading],
    words: Mapping[str, str],
    labels: Mapping[str, str],
    metric: str,
    is_baseline: Callable[[Config], bool],
) -> Row:
    config = group[0].config
    by_seed = {seed: reading.last for seed, reading in sorted(readings.items()) if reading.last is not None}
    timings = {run.seed: timing(run) for run in group}
    counted = [readings[seed] for seed in by_seed]
    return Row(
        dataset=config["dataset"]["name"],
        dataset_label=labels[config["dataset"]["name"]],
        dataset_settings=label(words, "dataset"),
        model=config["model"]["name"],
        model_settings=label(words, "model"),
        optimizer=config["optimizer"]["name"],
        settings=label(words),
        metric=metric,
        last=summarise(by_seed.values()),
        best=summarise(reading.best for reading in counted if reading.best is not None),
        by_seed=by_seed,
        sharpness=summarise(r.sharpness for r in counted if r.sharpness is not None).mean,
        seconds=seconds([timings[seed] for seed in by_seed]),
        timings={seed: timings[seed] for seed in by_seed},
        at_chance=tuple(sorted(run.seed for run in group if is_at_chance(run, metric, by_seed.get(run.seed)))),
        before=max((reading.before for reading in counted), default=0),
        states=Counter(run.state for run in group),
        diverged=tuple(sorted(run.seed for run in group if run.state == "diverged")),
        is_baseline=is_baseline(config),
        config={key: value for key, value in config.items() if key not in NO_SETTINGS},
        setting=group[0].setting,
        place=group[0].place,
    )


def _against_baseline(row: Row, baselines: Nearest | None) -> Row:
    """The row with its difference and cost to the nearest of the baselines of its place that have finished runs."""
    ours = list(row.timings.values())
    if row.is_baseline:
        return dataclasses.replace(
            row, passes=1.0 if passes(ours) else None, cost=1.0 if row.seconds else None, cost_clock=None
        )
    if baselines is None:
        return row
    reference = baselines.to(row)
    theirs = list(reference.timings.values())
    found, mine, others = cost(ours, theirs), passes(ours), passes(theirs)
    return dataclasses.replace(
        row,
        difference=paired_difference(row.counted, reference.counted) if row.n else None,
        compared_to=reference.settings,
        passes=mine / others if mine and others else None,
        cost=found.ratio if found else None,
        cost_clock=found.clock if found else None,
    )
