"""The paired difference against scipy, and the promise of its interval by simulation."""

import math
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from samcli.stats import paired_difference


@pytest.mark.parametrize("n", [2, 3, 5, 30])
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_matches_scipy(n: int, confidence: float) -> None:
    generator = np.random.default_rng(n)
    a, b = generator.normal(size=(2, n))
    found = paired_difference(dict(enumerate(a)), dict(enumerate(b)), confidence)
    expected = stats.ttest_rel(a, b).confidence_interval(confidence)
    assert found.mean == pytest.approx(np.mean(a - b), rel=1e-12)
    # the two quantile functions agree to about twelve digits
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-10)
    assert (found.n, found.confidence, found.only_treatment, found.only_baseline) == (n, confidence, (), ())


@pytest.mark.parametrize("n", [3, 5, 10])
def test_coverage_is_as_promised(n: int) -> None:
    """Over 2000 data sets with a strong effect of the seed on both arms; within 3 binomial standard deviations."""
    generator, trials, shift = np.random.default_rng(0), 2000, 0.3
    covered = 0
    for _ in range(trials):
        seeds = 5.0 * generator.normal(size=n)
        treatment = seeds + shift + generator.normal(size=n)
        baseline = seeds + generator.normal(size=n)
        found = paired_difference(dict(enumerate(treatment)), dict(enumerate(baseline)))
        covered += found.low <= shift <= found.high
    assert covered / trials == pytest.approx(0.95, abs=3 * math.sqrt(0.95 * 0.05 / trials))


def test_pairs_by_seed_not_by_order() -> None:
    found = paired_difference({2: 1.0, 0: 5.0, 7: 100.0}, {0: 4.0, 2: 0.0, 9: -100.0})
    assert (found.mean, found.low, found.high, found.n) == (1.0, 1.0, 1.0, 2)
    assert (found.only_treatment, found.only_baseline) == ((7,), (9,))


def test_one_pair_has_no_interval() -> None:
    found = paired_difference({0: 3.0}, {0: 1.0, 1: 2.0})
    assert (found.mean, found.low, found.high, found.n) == (2.0, None, None, 1)


def test_no_common_seed() -> None:
    found = paired_difference({0: 3.0}, {1: 2.0})
    assert (found.mean, found.low, found.high, found.n) == (None, None, None, 0)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0])
def test_confidence_is_a_share(confidence: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        paired_difference({0: 1.0}, {0: 1.0}, confidence)


def test_import_is_light() -> None:
    code = "import samcli.stats, sys; assert not {'scipy', 'pandas', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
