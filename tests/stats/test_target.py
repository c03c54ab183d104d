"""Time to a target: misses are infinite, and the test is scipy's."""

import math

import numpy as np
import pytest
from scipy import stats

from samcli.stats.target import first_reached, median_with_misses, reaches


def test_first_reached() -> None:
    assert first_reached([math.nan, 0.9, 0.95], 0.9) == 2
    assert first_reached([0.4, 0.3, 0.2], 0.3, higher_is_better=False) == 2
    assert first_reached([], 0.5) is None


def test_misses_take_part() -> None:
    assert median_with_misses([3.0, 1.0, 2.0]) == 2.0
    assert median_with_misses([3.0, None, None]) == math.inf
    assert median_with_misses([1.0, 3.0]) == 2.0
    assert median_with_misses([None]) == math.inf
    with pytest.raises(ValueError, match="at least one run"):
        median_with_misses([])


@pytest.mark.parametrize("higher", [True, False])
def test_matches_scipy(higher: bool) -> None:
    sample = np.random.default_rng(0).normal(0.9, 0.02, 6)
    expected = stats.ttest_1samp(sample, 0.89, alternative="greater" if higher else "less").pvalue
    assert reaches(list(sample), 0.89, higher_is_better=higher) == pytest.approx(expected, rel=1e-10)
    assert reaches([0.9], 0.89) is None
    assert reaches([0.9, 0.9], 0.9) == 0.0
    assert reaches([0.8, 0.8], 0.9) == 1.0
