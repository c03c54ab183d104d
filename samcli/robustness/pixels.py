"""Normalised images as pixels from 0 to 1, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from samcli.errors import ConfigError


@dataclass(frozen=True, eq=False)
class Pixels:
    """The scale of images that a network gets as x = (p - mean)/std, channel by channel, of pixels p from 0 to 1.

    Attributes:
        mean, std: (C, 1, 1) float32 on the device of the images.

    >>> pixels = Pixels.of((0.5,), (0.25,))
    >>> pixels.from_inputs(torch.tensor([[[[-2.0, 0.0, 2.0]]]]))
    tensor([[[[0.0000, 0.5000, 1.0000]]]])
    """

    mean: Tensor
    std: Tensor

    @staticmethod
    def of(mean: Sequence[float] | Tensor, std: Sequence[float] | Tensor, device: torch.device | str = "cpu") -> Pixels:
        """From the constants of each channel; (0,) and (1,) for images that are pixels already.

        Raises:
            ConfigError: a standard deviation that is not above 0.
        """
        made = [torch.as_tensor(values, dtype=torch.float32).to(device).reshape(-1, 1, 1) for values in (mean, std)]
        if not bool((made[1] > 0).all()):
            raise ConfigError("The standard deviations of pixels must be above 0.")
        return Pixels(*made)

    def from_inputs(self, inputs: Tensor) -> Tensor:
        """(N, C, H, W) as the network gets it, as pixels; rounding may leave them out of 0 to 1 by a few 10⁻⁷."""
        return inputs * self.std + self.mean

    def to_inputs(self, pixels: Tensor) -> Tensor:
        """(N, C, H, W) pixels as the network gets them."""
        return (pixels - self.mean) / self.std
