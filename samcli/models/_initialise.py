"""Initial weights, where torch's default is not that of the paper."""

from __future__ import annotations

from torch import nn


def he_normal(network: nn.Module) -> None:
    """Draw the weights of every convolution from N(0, 2 / fan-in), in place; all else stays as torch made it.

    Source: He et al., ICCV 2015, eq. 10, which the residual networks use (He et al., CVPR 2016, section 3.4).

    >>> layer = nn.Conv2d(8, 1000, kernel_size=5)
    >>> he_normal(layer)
    >>> round(layer.weight.std().item(), 2)  # √(2 / (8 · 25))
    0.1
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
