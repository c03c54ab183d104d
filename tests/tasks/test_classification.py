"""Classes: the loss and its smoothing by hand, and the accuracy."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from samcli.data.augment import mix
from samcli.errors import ConfigError
from samcli.tasks import Classification, Regression


def draw(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


def summed(task: Classification, output: Tensor, target: Tensor, size: int) -> Tensor:
    """The statistics over batches of a size."""
    parts = zip(output.split(size), target.split(size), strict=True)
    return torch.stack([task.statistics(o, t) for o, t in parts]).sum(0)


def test_classification_loss_and_accuracy() -> None:
    task, output, target = Classification(4), draw(50, 4), torch.arange(50) % 4
    by_hand = -output.log_softmax(1)[torch.arange(50), target].mean()
    torch.testing.assert_close(task.loss(output, target), by_hand)
    expected = (output.argmax(1) == target).float().mean().item()
    assert task.score(summed(task, output, target, 7), 50) == pytest.approx(expected)
    assert (task.outputs, task.classes, task.metric) == (4, 4, "accuracy")


def test_label_smoothing_of_classes_by_hand() -> None:
    output, target, a = draw(9, 3), torch.arange(9) % 3, 0.1
    soft = F.one_hot(target, 3) * (1 - a) + a / 3
    by_hand = -(soft * output.log_softmax(1)).sum(1).mean()
    torch.testing.assert_close(Classification(3).loss(output, target, a), by_hand)


def test_mixed_classes_sum_to_one() -> None:
    mixed = mix(Classification(3).soft(torch.tensor([0, 1, 2, 2])), 0.7)
    torch.testing.assert_close(mixed.sum(1), torch.ones(4))


def test_squared_loss_by_hand() -> None:
    task, output, target = Classification(4).squared(), draw(50, 4), torch.arange(50) % 4
    by_hand = sum(0.5 * float(((output[i] - F.one_hot(target[i], 4)) ** 2).sum()) for i in range(50)) / 50
    assert task.loss(output, target).item() == pytest.approx(by_hand, rel=1e-6)
    torch.testing.assert_close(task.loss(output, task.soft(target)), task.loss(output, target))
    assert task.score(summed(task, output, target, 7), 50) == Classification(4).score(
        summed(Classification(4), output, target, 7), 50
    )
    assert task.document() == Classification(4).document(), "who reads a checkpoint need not know the loss"
    assert task.squared() == task


def test_squared_loss_has_neither_smoothing_nor_weights() -> None:
    task = Classification(3).squared()
    with pytest.raises(ConfigError, match="no label smoothing; leave one of the two out"):
        task.loss(draw(2, 3), torch.tensor([0, 1]), 0.1)
    with pytest.raises(ConfigError, match="no weights of classes; leave class_weight out"):
        task.weighted_loss(torch.ones(3))
    with pytest.raises(ConfigError, match=r"loss: squared is for classes, and this is a regression; leave loss out"):
        Regression().squared()
