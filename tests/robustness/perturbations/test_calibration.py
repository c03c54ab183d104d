"""The calibration error against torchmetrics."""

import pytest
import torch
from images import PIXELS, images, network
from torchmetrics.functional.classification import multiclass_calibration_error

from samcli import robustness
from samcli.robustness.perturbations.calibration import calibration_error
from samcli.tasks import Classification


@pytest.mark.parametrize("bins", [1, 10, 15])
def test_it_is_torchmetrics(bins: int) -> None:
    generator = torch.Generator().manual_seed(0)
    probabilities = torch.softmax(2 * torch.randn(500, 4, generator=generator), 1)
    targets = torch.randint(4, (500,), generator=generator)
    expected = multiclass_calibration_error(probabilities, targets, 4, n_bins=bins, norm="l1")
    found = calibration_error(probabilities.amax(1), probabilities.argmax(1) == targets, bins)
    assert found == pytest.approx(float(expected), abs=1e-6)


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
