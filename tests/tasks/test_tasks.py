import math

import pytest
import torch
import torch.nn.functional as F
from sklearn.metrics import r2_score

from samcli.data.augment import mix
from samcli.errors import ConfigError
from samcli.tasks import Binary, Classification, Regression


def draw(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


def total(task, output, target, size):
    return sum(task.statistics(o, t) for o, t in zip(output.split(size), target.split(size), strict=True))


def test_classification_loss_and_accuracy():
    task, output, target = Classification(4), draw(50, 4), torch.arange(50) % 4
    by_hand = -output.log_softmax(1)[torch.arange(50), target].mean()
    torch.testing.assert_close(task.loss(output, target), by_hand)
    expected = (output.argmax(1) == target).float().mean().item()
    assert task.score(total(task, output, target, 7), 50) == pytest.approx(expected)
    assert (task.outputs, task.classes, task.metric) == (4, 4, "accuracy")


def test_label_smoothing_of_classes_by_hand():
    output, target, a = draw(9, 3), torch.arange(9) % 3, 0.1
    soft = F.one_hot(target, 3) * (1 - a) + a / 3
    by_hand = -(soft * output.log_softmax(1)).sum(1).mean()
    torch.testing.assert_close(Classification(3).loss(output, target, a), by_hand)


def test_label_smoothing_of_a_logit_by_hand():
    output, target, a = draw(9, 1), torch.arange(9) % 2, 0.2
    p, y = output.squeeze(1).sigmoid(), target * (1 - a) + a / 2
    by_hand = -(y * p.log() + (1 - y) * (1 - p).log()).mean()
    torch.testing.assert_close(Binary().loss(output, target, a), by_hand)


def test_a_logit_is_two_classes():
    # the softmax of (0, z) is the sigmoid of z, also with smoothing
    output, target = draw(20, 1), torch.arange(20) % 2
    pair = torch.cat([torch.zeros(20, 1), output], 1)
    torch.testing.assert_close(Binary().loss(output, target, 0.1), Classification(2).loss(pair, target, 0.1))
    torch.testing.assert_close(Binary().statistics(output, target), Classification(2).statistics(pair, target))


@pytest.mark.parametrize("task, output", [(Classification(5), draw(16, 5)), (Binary(), draw(16, 1))])
def test_the_loss_of_mixed_targets_is_the_mixed_loss(task, output):
    target, share = torch.arange(16) % task.classes, 0.3
    mixed = mix(task.soft(target), share)
    expected = share * task.loss(output, target) + (1 - share) * task.loss(output, target.roll(1))
    torch.testing.assert_close(task.loss(output, mixed), expected)
    hits = share * task.statistics(output, target) + (1 - share) * task.statistics(output, target.roll(1))
    torch.testing.assert_close(task.statistics(output, mixed), hits, atol=1e-5, rtol=0)  # shares are float32


def test_mixed_classes_sum_to_one():
    mixed = mix(Classification(3).soft(torch.tensor([0, 1, 2, 2])), 0.7)
    torch.testing.assert_close(mixed.sum(1), torch.ones(4))


@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_r2_agrees_with_scikit_learn(offset):
    task, target = Regression(), draw(101) + offset
    output = target[:, None] + 0.5 * draw(101, 1)
    expected = r2_score(target.double().numpy(), output.squeeze(1).double().numpy())
    # float64 sums: with a mean of 1000 spreads, 6 of 16 digits cancel
    assert task.score(total(task, output, target, 10), 101) == pytest.approx(expected, abs=1e-8)
    torch.testing.assert_close(task.loss(output, target), (output.squeeze(1) - target).square().mean())


def test_r2_of_constant_targets_is_undefined():
    task, target = Regression(), torch.ones(3)
    assert math.isnan(task.score(task.statistics(torch.zeros(3, 1), target), 3))


def test_a_regression_has_no_labels_to_smooth():
    with pytest.raises(ConfigError, match=r"no labels to smooth; leave label_smoothing out"):
        Regression().loss(torch.zeros(3, 1), torch.zeros(3), 0.1)
