"""Pixels and normalised inputs."""

import pytest
import torch
from images import PIXELS, images

from samcli.errors import ConfigError
from samcli.robustness import Pixels


def test_there_and_back() -> None:
    (inputs, _), *_ = images()
    pixels = PIXELS.from_inputs(inputs)
    assert bool(((pixels > -1e-6) & (pixels < 1 + 1e-6)).all())
    torch.testing.assert_close(PIXELS.to_inputs(pixels), inputs)
    torch.testing.assert_close((pixels * 255).round(), pixels * 255, atol=1e-4, rtol=0)


def test_a_spread_of_zero_is_refused() -> None:
    with pytest.raises(ConfigError, match="above 0"):
        Pixels.of((0.0,), (0.0,))
