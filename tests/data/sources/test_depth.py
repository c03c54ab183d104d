"""Values of more than eight bits, whatever range they use, keep as many levels as eight bits hold."""

import numpy as np
import pytest

from samcli.data.sources import _depth
from samcli.data.sources._depth import Depth


@pytest.mark.parametrize("bits", range(1, 32))
@pytest.mark.parametrize("low", [0, -7, 3])
def test_a_range_of_whole_numbers_is_used(bits: int, low: int) -> None:
    values = np.unique(np.linspace(low, 2**bits - 1, 5000).astype(np.int64))
    got = Depth.of(values).to_bytes(values)
    assert (np.diff(got.astype(int)) >= 0).all()  # no overflow
    assert len(np.unique(got)) >= min(len(np.unique(values)), 128)


def test_kinds_are_joined() -> None:
    whole, fractions = Depth.of(np.array([3, 900], np.int32)), Depth.of(np.array([0.5, 1.0], np.float32))
    assert whole | fractions == Depth(0.5, 900, whole=False)
    assert whole | whole == whole


def test_one_value_alone() -> None:
    for value in (0, 77, 70000, -5, 0.5, -2.5, 1e6):
        values = np.array([value, value])
        assert len(np.unique(Depth.of(values).to_bytes(values))) == 1


def test_large_images_are_converted_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).integers(0, 4096, (37, 11))
    whole = Depth.of(values).to_bytes(values)
    for block in (1, 30, 100):
        monkeypatch.setattr(_depth, "_BLOCK", block)
        assert np.array_equal(Depth.of(values).to_bytes(values), whole)
