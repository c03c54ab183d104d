"""What holds for every task with classes: mixed targets have the mixed loss."""

import math

import pytest
import torch
from torch import Tensor

from samcli.data.augment import mix
from samcli.tasks import Binary, Classification


def draw(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


@pytest.mark.parametrize("task, output", [(Classification(5), draw(16, 5)), (Binary(), draw(16, 1))])
def test_the_loss_of_mixed_targets_is_the_mixed_loss(task: Binary | Classification, output: Tensor) -> None:
    target, share = torch.arange(16) % task.classes, 0.3
    mixed = mix(task.soft(target), share)
    expected = share * task.loss(output, target) + (1 - share) * task.loss(output, target.roll(1))
    torch.testing.assert_close(task.loss(output, mixed), expected)
    hits = share * task.statistics(output, target) + (1 - share) * task.statistics(output, target.roll(1))
    torch.testing.assert_close(task.statistics(output, mixed), hits, atol=1e-5, rtol=0)  # shares are float32


WEIGHTS = torch.tensor([0.5, 2.0, 1.0, 4.0, 0.25])


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_weights_of_classes_are_those_of_torch(smoothing: float) -> None:
    """By an independent computation: torch's module, of class numbers and of shares of classes."""
    task, output, target = Classification(5), draw(16, 5), torch.arange(16) % 5
    loss = task.weighted_loss(WEIGHTS, smoothing)
    expected = torch.nn.CrossEntropyLoss(weight=WEIGHTS, label_smoothing=smoothing)
    mixed = mix(task.soft(target), 0.3)
    torch.testing.assert_close(loss(output, target), expected(output, target))
    torch.testing.assert_close(loss(output, mixed), expected(output, mixed))
    assert loss.denominator(target) == WEIGHTS[target].sum()
    assert loss.denominator(mixed) == 16
    by_hand = -(WEIGHTS[target] * output.log_softmax(1)[torch.arange(16), target]).sum() / WEIGHTS[target].sum()
    torch.testing.assert_close(task.weighted_loss(WEIGHTS)(output, target), by_hand)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_the_weighted_loss_of_a_logit_is_that_of_two_classes(smoothing: float) -> None:
    output, target, weights = draw(20, 1), torch.arange(20) % 2, torch.tensor([0.5, 3.0])
    pair = torch.cat([torch.zeros(20, 1), output], 1)
    one, two = Binary().weighted_loss(weights, smoothing), Classification(2).weighted_loss(weights, smoothing)
    mixed = [mix(task.soft(target), 0.3) for task in (Binary(), Classification(2))]
    torch.testing.assert_close(one(output, target), two(pair, target))
    torch.testing.assert_close(one(output, mixed[0]), two(pair, mixed[1]))
    assert [loss.denominator(target) for loss in (one, two)] == [35.0, 35.0]
    assert [float(loss.denominator(soft)) for loss, soft in zip((one, two), mixed, strict=True)] == [20.0, 20.0]


def test_equal_weights_are_none() -> None:
    for task, output in ((Classification(5), draw(16, 5)), (Binary(), draw(16, 1))):
        target = torch.arange(16) % task.classes
        weighted = task.weighted_loss(torch.full((task.classes,), 7.0))
        torch.testing.assert_close(weighted(output, target), task.loss(output, target))


def test_predictions_are_probabilities_in_closed_form() -> None:
    logits = torch.tensor([[math.log(3.0)], [-math.log(4.0)], [1000.0]])
    torch.testing.assert_close(Binary().prediction(logits), torch.tensor([[0.25, 0.75], [0.8, 0.2], [0.0, 1.0]]))
    assert Binary().predicted(logits).tolist() == [1, 0, 1]
    of_classes = torch.tensor([[math.log(2.0), 0.0, 0.0], [0.0, math.log(6.0), 0.0]])
    torch.testing.assert_close(
        Classification(3).prediction(of_classes), torch.tensor([[0.5, 0.25, 0.25], [0.125, 0.75, 0.125]])
    )
    assert Classification(3).predicted(of_classes).tolist() == [0, 1]
