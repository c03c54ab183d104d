"""Holm's adjustment against statsmodels, and the chance of any false finding by simulation."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from samcli.stats.holm import holm
from samcli.stats.sign_flip import sign_flip


@pytest.mark.parametrize("k", [1, 2, 5, 33])
def test_matches_statsmodels(k: int) -> None:
    values = list(np.random.default_rng(k).uniform(0.0, 0.2, k))
    assert holm(values) == pytest.approx(multipletests(values, method="holm")[1], rel=1e-12)


def test_order_does_not_matter() -> None:
    values = [0.03, 0.01, 0.04, 0.01]
    assert sorted(holm(values)) == holm(sorted(values))
    assert holm([]) == []


def test_any_false_finding_is_rare() -> None:
    """Five treatments that do not differ from one baseline of eight seeds: any p < 0.05 in at most 5 % of 1500."""
    generator, trials, wrong = np.random.default_rng(0), 1500, 0
    for _ in range(trials):
        values = generator.normal(size=(6, 8))
        adjusted = holm([sign_flip(list(treatment - values[0])) for treatment in values[1:]])
        wrong += min(adjusted) < 0.05
    assert wrong / trials <= 0.05 + 3 * (0.05 * 0.95 / trials) ** 0.5
