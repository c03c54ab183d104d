"""The small network of Kumar et al."""

import pytest
import torch
from torch import nn

from samcli.models import build


@pytest.mark.parametrize(
    ("shape", "convolutions", "parameters"),
    [
        # by hand: 25·C·32 + 32 each, 64 of BatchNorm, 10 · (32·h·w + 1)
        ((1, 14, 14), 2, 832 + 25_632 + 64 + 10 * (32 * 4 * 4 + 1)),
        ((3, 28, 28), 3, 2_432 + 2 * 25_632 + 64 + 10 * (32 * 4 * 4 + 1)),
        ((1, 9, 5), 1, 832 + 64 + 10 * (32 * 5 * 3 + 1)),
    ],
)
def test_its_size_by_hand(shape: tuple[int, ...], convolutions: int, parameters: int) -> None:
    model = build("strided-cnn", shape=shape, outputs=10, convolutions=convolutions)
    assert sum(p.numel() for p in model.parameters()) == parameters
    assert model(torch.zeros(3, *shape)).shape == (3, 10)


def test_dropout_stands_before_the_normalisation_and_can_be_left_out() -> None:
    layers = [type(layer) for layer in build("strided-cnn", shape=(1, 8, 8), outputs=2)]
    assert layers[-4:] == [nn.Dropout, nn.BatchNorm2d, nn.Flatten, nn.Linear]
    assert nn.Dropout not in [type(layer) for layer in build("strided-cnn", shape=(1, 8, 8), outputs=2, dropout=0.0)]
