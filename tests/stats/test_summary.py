"""Mean and spread against the standard library."""

import statistics

import pytest

from samcli.stats import Summary, summarise


def test_matches_the_standard_library() -> None:
    values = [0.71, 0.74, 0.69, 0.90]
    found = summarise(values)
    assert found.mean == pytest.approx(statistics.mean(values), rel=1e-15)
    assert found.sd == pytest.approx(statistics.stdev(values), rel=1e-14)
    assert found.n == 4


def test_few_values() -> None:
    assert summarise(iter([])) == Summary(None, None, 0)
    assert summarise([2.0]) == Summary(2.0, None, 1)
