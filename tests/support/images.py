"""Small networks of small images, made on the spot."""

import torch
from torch import Tensor, nn

from samcli.robustness import Pixels

PIXELS = Pixels.of((0.4, 0.5, 0.6), (0.2, 0.25, 0.3))


def images(n: int = 24, channels: int = 3, side: int = 8, classes: int = 4) -> list[tuple[Tensor, Tensor]]:
    """Normalised images of 8 bits in two batches, with classes drawn for them."""
    generator = torch.Generator().manual_seed(5)
    pixels = torch.randint(256, (n, channels, side, side), generator=generator) / 255.0
    inputs = (pixels - PIXELS.mean[:channels]) / PIXELS.std[:channels]
    targets = torch.randint(classes, (n,), generator=generator)
    return [(inputs[: n // 3], targets[: n // 3]), (inputs[n // 3 :], targets[n // 3 :])]


def network(channels: int = 3, classes: int = 4, seed: int = 2) -> nn.Module:
    """A small convolutional network with BatchNorm and dropout, in training mode."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(channels, 6, 3, padding=1),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.AdaptiveAvgPool2d(4),
        nn.Flatten(),
        nn.Linear(96, classes),
    )


def self_labelled(model: nn.Module, batches: list[tuple[Tensor, Tensor]]) -> list[tuple[Tensor, Tensor]]:
    """The same inputs with the classes that the network predicts: it is right about all of them."""
    mode = model.training
    model.eval()
    with torch.no_grad():
        found = [(inputs, model(inputs).argmax(1)) for inputs, _ in batches]
    model.train(mode)
    return found
