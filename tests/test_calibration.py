"""The calibration error against torchmetrics."""

import pytest
import torch
from torchmetrics.functional.classification import multiclass_calibration_error

from samcli.calibration import calibration_error


@pytest.mark.parametrize("bins", [1, 10, 15])
def test_it_is_torchmetrics(bins: int) -> None:
    generator = torch.Generator().manual_seed(0)
    probabilities = torch.softmax(2 * torch.randn(500, 4, generator=generator), 1)
    targets = torch.randint(4, (500,), generator=generator)
    expected = multiclass_calibration_error(probabilities, targets, 4, n_bins=bins, norm="l1")
    found = calibration_error(probabilities.amax(1).numpy(), (probabilities.argmax(1) == targets).numpy(), bins)
    assert found == pytest.approx(float(expected), abs=1e-6)
