"""Two classes: the loss by hand, and that one logit is two of them."""

import torch
from torch import Tensor

from samcli.tasks import Binary, Classification


def draw(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


def test_label_smoothing_of_a_logit_by_hand() -> None:
    output, target, a = draw(9, 1), torch.arange(9) % 2, 0.2
    p, y = output.squeeze(1).sigmoid(), target * (1 - a) + a / 2
    by_hand = -(y * p.log() + (1 - y) * (1 - p).log()).mean()
    torch.testing.assert_close(Binary().loss(output, target, a), by_hand)


def test_a_logit_is_two_classes() -> None:
    # the softmax of (0, z) is the sigmoid of z, also with smoothing
    output, target = draw(20, 1), torch.arange(20) % 2
    pair = torch.cat([torch.zeros(20, 1), output], 1)
    torch.testing.assert_close(Binary().loss(output, target, 0.1), Classification(2).loss(pair, target, 0.1))
    torch.testing.assert_close(Binary().statistics(output, target), Classification(2).statistics(pair, target))
