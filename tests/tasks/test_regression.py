"""Regression against scikit-learn."""

import math

import pytest
import torch
from sklearn.metrics import r2_score
from torch import Tensor

from samcli.errors import ConfigError
from samcli.tasks import Regression


def draw(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


def summed(task: Regression, output: Tensor, target: Tensor, size: int) -> Tensor:
    """The statistics over batches of a size."""
    parts = zip(output.split(size), target.split(size), strict=True)
    return torch.stack([task.statistics(o, t) for o, t in parts]).sum(0)


@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_r2_agrees_with_scikit_learn(offset: float) -> None:
    task, target = Regression(), draw(101) + offset
    output = target[:, None] + 0.5 * draw(101, 1)
    expected = r2_score(target.double().numpy(), output.squeeze(1).double().numpy())
    # float64 sums: with a mean of 1000 spreads, 6 of 16 digits cancel
    assert task.score(summed(task, output, target, 10), 101) == pytest.approx(expected, abs=1e-8)
    torch.testing.assert_close(task.loss(output, target), (output.squeeze(1) - target).square().mean())


def test_r2_of_constant_targets_is_undefined() -> None:
    task, target = Regression(), torch.ones(3)
    assert math.isnan(task.score(task.statistics(torch.zeros(3, 1), target), 3))


def test_a_regression_has_no_labels_to_smooth() -> None:
    with pytest.raises(ConfigError, match=r"no labels to smooth; leave label_smoothing out"):
        Regression().loss(torch.zeros(3, 1), torch.zeros(3), 0.1)


def test_what_is_said_is_in_the_unit_of_the_targets_and_r2_in_none() -> None:
    raw = 20.0 + 5.0 * draw(50).double()
    plain, scaled = Regression(), Regression(mean=20.0, std=5.0, unit="°C")
    target = (raw - 20.0) / 5.0
    output = target[:, None] + 0.3 * draw(50, 1)
    torch.testing.assert_close(scaled.prediction(target[:, None]), raw)
    torch.testing.assert_close(scaled.predicted(output), 5.0 * output.squeeze(1) + 20.0)
    assert torch.equal(plain.prediction(output), output.squeeze(1))
    r2 = r2_score(raw.numpy(), scaled.prediction(output).numpy())
    assert scaled.score(summed(scaled, output, target, 7), 50) == pytest.approx(r2)


@pytest.mark.parametrize("fields", [{"std": 0.0}, {"std": math.nan}, {"std": math.inf}, {"mean": math.nan}])
def test_a_scale_that_no_targets_have(fields: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="cannot have the mean"):
        Regression(**fields)  # type: ignore[arg-type]


def test_a_regression_has_no_classes_to_weigh() -> None:
    with pytest.raises(ConfigError, match="leave class_weight out"):
        Regression().weighted_loss(torch.ones(2))
