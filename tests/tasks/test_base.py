"""What holds for every task with classes: mixed targets have the mixed loss."""

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
