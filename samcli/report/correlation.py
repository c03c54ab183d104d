"""Rank correlations of sharpness with the generalisation gap, or with another metric, over runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samcli.config.grid import Grid, flatten, setting_of, token
from samcli.errors import ConfigError, NothingToCompare
from samcli.metrics import score_among
from samcli.report.groups import one_per_seed
from samcli.report.kept import kept_measures
from samcli.report.metric import with_metric
from samcli.report.younger import completed
from samcli.runs.reader import Run
from samcli.stats import RankCorrelation, kendall, kendall_within


@dataclass(frozen=True)
class Correlation:
    """Kendall's τ between one measure and another quantity, over the runs that have both.

    Attributes:
        measure: its name with its radius, and with the parameters that tell it from others.
        examples: how many examples it was measured on.
        pairs: the measure and the other quantity, by the folder of the run.
        correlation: Kendall's τ of the pairs, with its interval.
        unconverged: how many runs were left out since the measure had not converged or was no number.
    """

    measure: str
    examples: int
    pairs: Mapping[Path, tuple[float, float]]
    correlation: RankCorrelation
    unconverged: int


def correlate(runs: Sequence[Run], metric: str | None = None, hold: Sequence[str] = ()) -> list[Correlation]:
    """One correlation for each measure, with the same parameters, that was kept of at least two of the finished runs.

    By default it is that with the generalisation gap: the training score less the test score after the last epoch, in
    the columns of `metrics.csv` (test less training where a smaller score is better). The training score is one with
    augmentation and, where there is label noise, of the noisy labels.

    Args:
        runs: any runs.
        metric: in place of the gap, a column of `metrics.csv` after the last epoch, or a robustness test that is kept.
        hold: settings that are held fixed: only runs that are equal in them are compared with each other, see
            `samcli.stats.kendall_within`.

    Raises:
        NothingToCompare: no measure was kept of two finished runs.
        ConfigError: no run has such a metric or such a setting.

    >>> correlate([])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    samcli.errors.NothingToCompare: No measure of sharpness is kept of two finished runs; measure them first: ...
    """
    if metric is not None:
        metric, runs = with_metric(metric, runs)
    runs, _ = one_per_seed(runs)
    others = {run.folder: other for run in runs if (other := _other_quantity(run, metric)) is not None}
    groups = held(runs, hold)
    found = []
    for kept in kept_measures([run for run in runs if run.folder in others]):
        if len(kept.values) >= 2:
            pairs = {folder: (value, others[folder]) for folder, value in kept.values.items()}
            x, y = [x for x, _ in pairs.values()], [y for _, y in pairs.values()]
            tau = kendall_within(x, y, [groups[folder] for folder in pairs]) if hold else kendall(x, y)
            found.append(Correlation(kept.name, kept.examples, pairs, tau, kept.unconverged))
    if not found:
        raise NothingToCompare(
            "No measure of sharpness is kept of two finished runs; measure them first: samcli sharpness RESULTS"
        )
    return sorted(found, key=lambda one: -abs(one.correlation.tau or 0.0))


def held(runs: Sequence[Run], keys: Sequence[str]) -> dict[Path, tuple[Any, ...]]:
    """What each run has of some settings, by its folder; of an option that is younger than a run, its default.

    Args:
        runs: any.
        keys: as they stand in an experiment, options of the optimizer with or without its block: rho, optimizer.rho,
            epochs.

    Raises:
        ConfigError: no run has such a setting.

    >>> from samcli.report.example import example_runs
    >>> sorted(set(held(example_runs(), ["optimizer.name"]).values()))
    [(('text', 'sam'),), (('text', 'sgd'),)]
    """
    flats = completed([flatten(run.config) for run in runs])
    grid, found = Grid(flats, str), []
    for key in keys:
        name = setting_of(key, grid.values)
        if name is None:
            raise ConfigError(f"No run has a setting {key!r}; {grid.meant(key)}")
        found.append(name)
    tokens = (tuple(token(flat.get(name)) for name in found) for flat in flats)
    return dict(zip((run.folder for run in runs), tokens, strict=True))


def _other_quantity(run: Run, metric: str | None) -> float | None:
    if metric is None:
        return generalisation_gap(run)
    values = run.values(metric)
    return values[-1] if run.state == "finished" and values and math.isfinite(values[-1]) else None


def generalisation_gap(run: Run) -> float | None:
    """The gap between training and test score after the last epoch, see `samcli.metrics.Score.gap`.

    None for a run that is not finished or whose scores were not measured.

    >>> from samcli.report.example import example_runs
    >>> generalisation_gap(example_runs()[0])
    0.25
    """
    if run.state != "finished" or not len(run.table):
        return None
    score = score_among(run.columns)
    gap = score.gap(run.values(f"train_{score.name}")[-1], run.values(f"test_{score.name}")[-1])
    return gap if math.isfinite(gap) else None
