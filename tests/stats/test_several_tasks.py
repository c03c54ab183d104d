"""Aggregates over tasks against scipy and by hand."""

import math

import numpy as np
import pytest
from scipy import stats

from samcli.stats.several_tasks import (
    interquartile_mean,
    mean_ranks,
    performance_profile,
    stratified_interquartile_mean,
)


@pytest.mark.parametrize("n", [4, 8, 40])
def test_is_scipys_trimmed_mean_where_a_quarter_is_whole(n: int) -> None:
    sample = np.random.default_rng(n).normal(size=n)
    assert interquartile_mean(sample) == pytest.approx(stats.trim_mean(sample, 0.25), rel=1e-12)


def test_scores_at_the_edges_count_in_part() -> None:
    # of five scores each is a fifth: the middle half is 0.05 of the second, all of the third, 0.05 of the fourth
    values = [0.0, 1.0, 5.0, 6.0, 90.0]
    assert interquartile_mean(values) == pytest.approx((0.15 * 1.0 + 0.2 * 5.0 + 0.15 * 6.0) / 0.5)
    assert interquartile_mean([3.0]) == 3.0


def test_the_interval_is_the_same_each_time_and_no_task_is_lost() -> None:
    generator = np.random.default_rng(0)
    scores = {task: list(generator.normal(0.7, 0.05, 10)) for task in "abcdefghij"}
    one, other = (stratified_interquartile_mean(scores, seed=3) for _ in range(2))
    assert one == other
    assert one.low is not None
    assert one.high is not None
    assert one.low < one.value < one.high
    assert stratified_interquartile_mean({"a": [0.5]}).low is None
    for wrong in ({}, {"a": []}):
        with pytest.raises(ValueError, match="at least one run"):
            stratified_interquartile_mean(wrong)


def test_a_profile_counts_misses() -> None:
    spent = {"a": {"x": 1.0, "y": 3.0}, "b": {"x": math.inf, "y": 2.0}, "c": {"x": math.inf, "y": math.inf}}
    profile = performance_profile(spent)
    assert profile["x"] == [(1.0, 1 / 3)]
    assert profile["y"] == [(1.0, 1 / 3), (3.0, 2 / 3)]
    assert performance_profile(spent, most=2.0)["y"] == [(1.0, 1 / 3)]
    with pytest.raises(ValueError, match="same methods"):
        performance_profile({"a": {"x": 1.0}, "b": {"y": 1.0}})


def test_ranks_match_scipy() -> None:
    generator = np.random.default_rng(0)
    table = generator.integers(0, 4, size=(6, 5)).astype(float)
    found = mean_ranks({str(t): dict(zip("vwxyz", row, strict=True)) for t, row in enumerate(table)})
    assert list(found.values()) == pytest.approx(stats.rankdata(-table, axis=1).mean(axis=0))
    with pytest.raises(ValueError, match="same methods"):
        mean_ranks({})
