"""One number for several tasks: interquartile mean, performance profile, ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

RESAMPLES = 2000
FEW_SEEDS = 10  # below which the bootstrap's interval is too narrow: 83 to 91 % where it promises 95


@dataclass(frozen=True)
class Aggregate:
    """A number over tasks with the ends of an approximate 95 % interval; these are None for fewer than two seeds."""

    value: float
    low: float | None
    high: float | None


def interquartile_mean(scores: Sequence[float] | Values) -> float:
    """The mean of the middle half of the scores; those at its edges count in part.

    >>> interquartile_mean([0.0, 1.0, 2.0, 100.0])
    1.5
    >>> interquartile_mean([1.0, 2.0, 3.0])
    2.0
    """
    ordered = np.sort(np.asarray(scores, dtype=np.float64))
    edges = np.arange(ordered.size + 1) / ordered.size
    # how much of each score's share of the whole lies in the middle half
    weights = np.clip(np.minimum(edges[1:], 0.75) - np.maximum(edges[:-1], 0.25), 0.0, None)
    return float(ordered @ weights / weights.sum())


def stratified_interquartile_mean(scores: Mapping[str, Sequence[float]], *, seed: int = 0) -> Aggregate:
    """The interquartile mean over all runs of all tasks, with a percentile bootstrap stratified by task.

    Runs are drawn anew within each task, so that every task keeps its weight (Agarwal et al., "Deep reinforcement
    learning at the edge of the statistical precipice", 2021, section 4). With fewer than ten runs a task the interval
    is approximate, and too narrow.

    Args:
        scores: for each task one score for each run, of comparable size: as accuracies are.
        seed: of the resampling; the same one gives the same interval.

    Raises:
        ValueError: no tasks, or a task without runs.

    >>> found = stratified_interquartile_mean({"a": [0.8, 0.9, 0.85], "b": [0.6, 0.7, 0.65]})
    >>> round(found.value, 3), found.low < found.value < found.high
    (0.75, True)
    """
    tasks = [np.asarray(one, dtype=np.float64) for one in scores.values()]
    if not tasks or any(one.size == 0 for one in tasks):
        raise ValueError("An aggregate needs tasks with at least one run each.")
    value = interquartile_mean(np.concatenate(tasks))
    if min(one.size for one in tasks) < 2:
        return Aggregate(value, None, None)
    generator = np.random.default_rng(seed)
    drawn = [one[generator.integers(0, one.size, size=(RESAMPLES, one.size))] for one in tasks]
    means = [interquartile_mean(sample) for sample in np.concatenate(drawn, axis=1)]
    low, high = np.quantile(means, [0.025, 0.975])
    return Aggregate(value, float(low), float(high))


def performance_profile(
    spent: Mapping[str, Mapping[str, float]], most: float = 4.0
) -> dict[str, list[tuple[float, float]]]:
    """For each method, at each ratio τ, the share of the tasks on which it needs at most τ times what the best needs.

    Dolan and Moré, "Benchmarking optimization software with performance profiles", 2002. A task that no method solves
    counts for none of them.

    Args:
        spent: for each task and method what was spent until the target was reached; infinite for a miss. Every task
            has the same methods.
        most: the largest τ.

    Returns:
        Steps (τ, share) in rising τ, the first at τ = 1.

    Raises:
        ValueError: no tasks, or tasks of different methods.

    >>> performance_profile({"a": {"x": 1.0, "y": 2.0}, "b": {"x": 3.0, "y": 3.0}})
    {'x': [(1.0, 1.0)], 'y': [(1.0, 0.5), (2.0, 1.0)]}
    """
    if not spent or len({frozenset(one) for one in spent.values()}) != 1:
        raise ValueError("A performance profile needs tasks, each with the same methods.")
    profiles = {}
    for method in next(iter(spent.values())):
        ratios = [one[method] / min(one.values()) for one in spent.values() if np.isfinite(one[method])]
        within = sorted({1.0, *(ratio for ratio in ratios if ratio <= most)})
        profiles[method] = [(step, sum(ratio <= step for ratio in ratios) / len(spent)) for step in within]
    return profiles


def mean_ranks(scores: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """The mean rank of each method over tasks, 1 for the largest score; equal scores share their ranks.

    >>> mean_ranks({"a": {"x": 0.9, "y": 0.8}, "b": {"x": 0.7, "y": 0.7}})
    {'x': 1.25, 'y': 1.75}

    Raises:
        ValueError: no tasks, or tasks of different methods.
    """
    if not scores or len({frozenset(one) for one in scores.values()}) != 1:
        raise ValueError("Ranks need tasks, each with the same methods.")
    ranks: dict[str, list[float]] = {}
    for one in scores.values():
        values = list(one.values())
        for method, value in one.items():
            better, equal = sum(other > value for other in values), values.count(value)
            ranks.setdefault(method, []).append(better + (equal + 1) / 2)
    return {method: float(np.mean(found)) for method, found in ranks.items()}
