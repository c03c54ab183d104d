"""The calibration error of a network that is sure."""

import pytest
import torch
from images import PIXELS, images, network

from samcli import robustness
from samcli.tasks import Classification


def test_a_network_that_is_sure_and_wrong() -> None:
    model = network()
    with torch.no_grad():
        model[6].weight.mul_(1e4)  # type: ignore[index]
    data = images(60)
    found = robustness.measure(model, Classification(4), data, ["clean", "calibration"], pixels=PIXELS)
    assert found["calibration"].value == pytest.approx(1.0 - found["clean"].value, abs=1e-6)
    assert found["calibration"].score == "calibration_error"
    # confidence is 1: what varies between samples is the accuracy alone, whose error is binomial
    assert found["calibration"].stderr == pytest.approx(found["clean"].stderr, rel=0.25)
    assert found["calibration"].details["confidence"] == pytest.approx(1.0)
