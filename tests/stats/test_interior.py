"""The optimum inside a range: no seed judges the level that it chose."""

import numpy as np
import pytest

from samcli.stats import paired_difference
from samcli.stats.interior import inside_against_ends


def test_a_clear_optimum_is_seen() -> None:
    first, last = inside_against_ends({seed: [0.1, 0.5 + 0.01 * seed, 0.4, 0.2] for seed in range(4)})
    assert list(first.values()) == pytest.approx([0.4, 0.41, 0.42, 0.43])
    assert list(last.values()) == pytest.approx([0.3, 0.31, 0.32, 0.33])


def test_noise_has_no_optimum_inside() -> None:
    """All levels alike, 3000 data sets: both intervals above zero in at most 2.5 %; the maximum lies inside in most."""
    generator, wrong, greedy = np.random.default_rng(0), 0, 0
    for _ in range(3000):
        table = generator.normal(size=(6, 7))
        both = inside_against_ends({seed: list(row) for seed, row in enumerate(table)})
        intervals = [paired_difference(one, dict.fromkeys(one, 0.0)) for one in both]
        wrong += all(one.low is not None and one.low > 0.0 for one in intervals)
        best = 1 + int(np.argmax(table.mean(axis=0)[1:-1]))
        greedy += bool(np.mean(table[:, best]) > max(table[:, 0].mean(), table[:, -1].mean()))
    assert wrong / 3000 <= 0.025
    assert greedy / 3000 > 0.5


def test_too_little_is_refused() -> None:
    for values in ({0: [1.0, 2.0, 3.0]}, {0: [1.0, 2.0], 1: [1.0, 2.0]}):
        with pytest.raises(ValueError, match="two seeds and three levels"):
            inside_against_ends(values)
