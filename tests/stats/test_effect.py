"""Effect sizes, power and numbers of pairs against scipy, statsmodels and counting."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower

from samcli.stats.effect import detectable, pairs_to_decide, standardised, superiority


def power(effect: float, n: int, level: float) -> float:
    bound, centre = stats.t.ppf(1.0 - level / 2.0, n - 1), effect * math.sqrt(n)
    return float(stats.nct.sf(bound, n - 1, centre) + stats.nct.cdf(-bound, n - 1, centre))


@pytest.mark.parametrize("n", [2, 3, 5, 10, 40])
@pytest.mark.parametrize("level", [0.05, 0.01])
def test_detectable_matches_statsmodels(n: int, level: float) -> None:
    found = detectable(n, level)
    assert found is not None
    # the power at our effect; that of statsmodels is not a number at places
    theirs = TTestPower().power(found, n, level, alternative="two-sided")
    assert math.isnan(theirs) or theirs == pytest.approx(0.8, abs=2e-4)
    assert power(found, n, level) == pytest.approx(0.8, abs=2e-4)


@pytest.mark.parametrize("effect", [0.3, 0.8, 1.5, 4.0])
@pytest.mark.parametrize("level", [0.05, 0.005])
def test_pairs_to_decide_is_the_first_number_with_the_power(effect: float, level: float) -> None:
    pairs = pairs_to_decide(effect, level)
    assert pairs is not None
    assert pairs_to_decide(-effect, level) == pairs
    assert power(effect, pairs, level) >= 0.8 - 2e-4
    assert pairs == 2 or power(effect, pairs - 1, level) < 0.8 + 2e-4


def test_what_no_number_of_pairs_decides() -> None:
    assert pairs_to_decide(0.0) is None
    assert pairs_to_decide(math.nan) is None
    assert pairs_to_decide(1e-3) is None
    assert pairs_to_decide(math.inf) == 2
    assert detectable(1) is None


def test_power_by_simulation() -> None:
    """What ten pairs detect they find in 80 % of 4000 data sets, within 3 binomial standard deviations."""
    effect = detectable(10)
    assert effect is not None
    sample = np.random.default_rng(0).normal(effect, 1.0, (4000, 10))
    t = sample.mean(axis=1) / sample.std(axis=1, ddof=1) * math.sqrt(10)
    assert np.mean(np.abs(t) > 2.262157) == pytest.approx(0.8, abs=3 * math.sqrt(0.16 / 4000))


def test_standardised() -> None:
    assert standardised([]) is None
    assert standardised([1.0]) is None
    assert standardised([0.0, 0.0]) == 0.0
    assert standardised([-2.0, -2.0]) == -math.inf
    sample = np.random.default_rng(0).normal(1.0, 2.0, 9)
    assert standardised(list(sample)) == pytest.approx(sample.mean() / sample.std(ddof=1), rel=1e-12)
    assert standardised(list(-sample)) == pytest.approx(-standardised(list(sample)))  # type: ignore[operator]


def test_superiority_counts_ties_one_half() -> None:
    assert superiority([]) is None
    assert superiority([1.0, 2.0]) == 1.0
    assert superiority([0.0]) == 0.5
    found = [0.3, -0.1, 0.0, 2.0]
    assert superiority([-d for d in found]) == pytest.approx(1.0 - superiority(found))  # type: ignore[operator]
