"""Means over micro-batches, each weighted with its share, and what is added to the weights after the descent."""

import torch
from torch import Tensor

from samcli.optim.means import ByParameter, StepMeans


def two_parts() -> tuple[Tensor, Tensor, StepMeans]:
    """A weight that both parts have a gradient of, one that only the second part has, and their means."""
    both, second = torch.zeros(2), torch.zeros(1)
    means = StepMeans()
    means.add([both], [torch.tensor([4.0, 0.0])], {"size": [torch.ones(2)]}, [torch.tensor([8.0, 8.0])], 0.25)
    means.add([both, second], [torch.tensor([0.0, 4.0]), torch.ones(1)], {}, [], 0.75)
    return both, second, means


def test_shares_weigh() -> None:
    both, second, means = two_parts()
    assert means.gradient[both].tolist() == [1.0, 3.0]
    assert means.gradient[second].tolist() == [0.75]
    assert means.extras["size"][both].tolist() == [0.25, 0.25]
    assert len(means.tensors()) == 4


def test_displacement_unless_a_flag_is_set() -> None:
    both, _, means = two_parts()
    means.displace(unless=torch.tensor(True))
    assert both.tolist() == [0.0, 0.0]
    means.displace(unless=torch.tensor(False))
    means.displace()
    assert both.tolist() == [4.0, 4.0]


def test_a_single_part_is_handed_over_as_it_is() -> None:
    weight, gradient = torch.nn.Parameter(torch.zeros(2)), torch.ones(2)
    sums = ByParameter()
    sums.add([weight], [gradient], 1.0)
    sums.hand_over()
    assert weight.grad is gradient
