"""Two one-sided tests against statsmodels, against the interval, and their error by simulation."""

import math

import numpy as np
import pytest
from statsmodels.stats.weightstats import ttost_paired

from samcli.stats import paired_difference
from samcli.stats.equivalence import equivalence


@pytest.mark.parametrize("n", [2, 3, 7, 20])
@pytest.mark.parametrize("shift", [0.0, 0.05, 0.2])
def test_matches_statsmodels(n: int, shift: float) -> None:
    generator = np.random.default_rng(n)
    a, b = generator.normal(shift, 0.05, n), generator.normal(0.0, 0.05, n)
    found = equivalence(list(a - b), 0.1)
    assert found is not None
    assert found.within == pytest.approx(ttost_paired(a, b, -0.1, 0.1)[0], rel=1e-9, abs=1e-15)


def test_it_holds_where_the_interval_of_90_percent_lies_within() -> None:
    for seed in range(50):
        differences = np.random.default_rng(seed).normal(0.02, 0.05, 6)
        found, interval = equivalence(list(differences), 0.06), paired_difference(dict(enumerate(differences)), {})
        interval = paired_difference(dict(enumerate(differences)), dict.fromkeys(range(6), 0.0), 0.9)
        assert found is not None
        assert interval.low is not None
        assert interval.high is not None
        assert (found.within < 0.05) is (interval.low > -0.06 and interval.high < 0.06)


@pytest.mark.parametrize("n", [3, 5, 10])
def test_it_is_claimed_wrongly_in_under_5_percent(n: int) -> None:
    """The mean lies exactly at the margin, which is not within it; 4000 data sets, 3 binomial standard deviations."""
    sample = np.random.default_rng(0).normal(0.1, 0.03, (4000, n))
    claimed = [found.within < 0.05 for row in sample if (found := equivalence(list(row), 0.1))]
    assert np.mean(claimed) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 4000)


def test_without_spread_it_is_as_certain_as_signs_can_be() -> None:
    """Accuracies come in steps, and six equal differences of zero are no certainty."""
    within, beyond = equivalence([0.01, 0.01], 0.1), equivalence([0.2, 0.2], 0.1)
    assert within is not None
    assert beyond is not None
    assert (within.within, within.beyond) == (0.25, 1.0)
    assert (beyond.within, beyond.beyond) == (1.0, 0.25)


def test_what_cannot_be_tested() -> None:
    assert equivalence([0.1], 0.1) is None
    for margin in (0.0, -1.0, math.nan):
        with pytest.raises(ValueError, match="above zero"):
            equivalence([0.1, 0.2], margin)
