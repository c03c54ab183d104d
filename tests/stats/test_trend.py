"""Slopes against numpy's fit."""

import numpy as np
import pytest

from samcli.stats.trend import slopes


def test_matches_a_fit() -> None:
    generator = np.random.default_rng(0)
    levels = [0.0, 0.2, 0.4, 0.8]
    values = {seed: list(generator.normal(size=4)) for seed in (3, 1, 7)}
    found = slopes(levels, values)
    assert list(found) == [3, 1, 7]
    for seed, one in values.items():
        assert found[seed] == pytest.approx(np.polyfit(levels, one, 1)[0], rel=1e-10)


def test_what_has_no_slope() -> None:
    with pytest.raises(ValueError, match="two different levels"):
        slopes([0.1, 0.1], {0: [1.0, 2.0]})
    with pytest.raises(ValueError, match="Seed 4 has 1 values at 2 levels"):
        slopes([0.1, 0.2], {4: [1.0]})
