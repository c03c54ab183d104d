"""The sign-flip test against scipy's permutations, and its level by simulation."""

import numpy as np
import pytest
from scipy import stats

from samcli.stats.sign_flip import MOST_EXACT, pairs_needed, sign_flip, smallest_p


@pytest.mark.parametrize("n", [2, 6, 9, 12])
def test_matches_scipy(n: int) -> None:
    generator = np.random.default_rng(n)
    for shift in (0.0, 0.8):
        differences = generator.normal(shift, 1.0, n)
        expected = stats.permutation_test(
            (differences,), np.mean, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
        )
        assert sign_flip(list(differences)) == pytest.approx(expected.pvalue, rel=1e-12)


def test_equal_sums_count_though_rounding_tells_them_apart() -> None:
    # 0.1 + 0.2 - 0.3 is not zero in floating point; exactly, 6 of 8 ways are as far from 0 as the one observed
    assert sign_flip([0.1, 0.2, -0.3]) == 1.0
    assert sign_flip([0.1] * 6) == 2 / 2**6


def test_beyond_the_exact_number_it_is_close_and_the_same_each_time() -> None:
    differences = list(np.random.default_rng(1).normal(0.45, 1.0, MOST_EXACT))
    exact = sign_flip(differences)
    more = [*differences, 0.0]  # a pair without a difference changes no mean of any way, only how many there are
    assert sign_flip(more) == sign_flip(more)
    assert sign_flip(more) == pytest.approx(exact, abs=4 * (exact / 2**18) ** 0.5)


def test_the_smallest_value_is_reached() -> None:
    for n in range(1, 12):
        assert sign_flip([1.0 + i for i in range(n)]) == smallest_p(n)


def test_its_level_is_kept_for_any_symmetric_distribution() -> None:
    """Differences of heavy tails, 4000 data sets of seven: p < 0.05 in at most 5 %, within 3 binomial deviations."""
    generator = np.random.default_rng(0)
    found = [sign_flip(list(generator.standard_t(2, 7))) for _ in range(4000)]
    assert np.mean(np.array(found) < 0.05) <= 0.05 + 3 * (0.05 * 0.95 / 4000) ** 0.5
    assert np.mean(np.array(found) <= 6 / 128) == pytest.approx(6 / 128, abs=3 * (0.05 * 0.95 / 4000) ** 0.5)


def test_pairs_needed_is_what_holm_needs() -> None:
    for comparisons in range(1, 40):
        pairs = pairs_needed(comparisons)
        assert smallest_p(pairs) * comparisons < 0.05 <= smallest_p(pairs - 1) * comparisons


def test_no_difference_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        sign_flip([])
