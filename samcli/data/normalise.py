"""Inputs as a network gets them: of zero mean and unit spread by the statistics of the training part, or tokens."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from samcli.data.lazy import LazyImages

Constants = tuple[tuple[float, ...], tuple[float, ...]]  # mean and std of each channel, on the scale from 0 to 1


class Normalisation:
    """x → (x - mean) / std, for each channel of images or feature of tables.

    The statistics are those of the examples trained on, after the subset and the hold-out were taken, also where the
    literature has constants: the rule is then one for all data sets. Only weights that were trained with constants
    bring these with them. The spread is the population's (divided by n); a channel or feature that never changes gets
    std 1. Codes of categories and tokens stay as they are.

    Attributes:
        mean, std: (C,) float32 on the scale from 0 to 1 for images, as papers print them; (F,) in the units of the
            feature for tables; (0,) for tokens.
    """

    def __init__(
        self,
        inputs: Tensor,
        device: torch.device,
        *,
        categories: Sequence[int] = (),
        constants: Constants | None = None,
    ) -> None:
        """Measure the training inputs.

        Args:
            inputs: (N, H, W, C) uint8, (N, F) float32, or tokens, (N, T) int32, of which nothing is measured.
            device: where the inputs of `images` will be.
            categories: see `samcli.data.Source`.
            constants: mean and std of images, instead of theirs.
        """
        self.is_images, self.is_tokens = inputs.dtype == torch.uint8, inputs.dtype == torch.int32
        mean, std = torch.zeros(0), torch.zeros(0)
        if constants is not None and self.is_images:
            mean, std = (per_channel(values, inputs.shape[-1]) for values in constants)
        elif not self.is_tokens:
            mean, std = image_statistics(inputs) if self.is_images else table_statistics(inputs)
        if any(categories):
            coded = torch.tensor(categories) > 0
            mean, std = mean.masked_fill(coded, 0.0), std.masked_fill(coded, 1.0)
        self.mean, self.std = mean.float(), std.float()
        self._shift = (255.0 * mean).float().view(-1, 1, 1).to(device)
        self._scale = (1.0 / (255.0 * std)).float().view(-1, 1, 1).to(device)

    def stored(self, inputs: Tensor) -> Tensor:
        """Raw inputs as a part holds them: tables normalised, images and tokens as they are, which takes least room."""
        return inputs if self.is_images or self.is_tokens else self.table(inputs)

    def ready(self, stored: Tensor) -> Tensor:
        """Inputs as a part holds them to those of a network: tokens become int64, and tables are ready."""
        if self.is_images:
            return self.images(stored)
        return stored.long() if self.is_tokens else stored

    def images(self, pixels: Tensor) -> Tensor:
        """(N, H, W, C) uint8 to normalised (N, C, H, W) float32 in channels-last memory order, on its device."""
        x = pixels.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.channels_last)
        return x.sub_(self._shift).mul_(self._scale)

    def table(self, rows: Tensor) -> Tensor:
        """(N, F) float32 to normalised (N, F) float32, on the host."""
        return (rows - self.mean) / self.std


def per_channel(values: tuple[float, ...], channels: int) -> Tensor:
    """Constants of so many channels, in float64: one gets the mean of all, of more each one in turn.

    >>> per_channel((0.25, 0.5, 0.75), 1), per_channel((0.25, 0.5, 0.75), 3)
    (tensor([0.5000], dtype=torch.float64), tensor([0.2500, 0.5000, 0.7500], dtype=torch.float64))
    """
    given = torch.tensor(values, dtype=torch.float64)
    if channels == 1:
        return given.mean().reshape(1)
    return given[[channel % len(given) for channel in range(channels)]]


def image_statistics(images: Tensor | LazyImages) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel of (N, H, W, C) uint8 images on the scale from 0 to 1, in float64.

    >>> image_statistics(torch.tensor([0, 255], dtype=torch.uint8).view(1, 2, 1, 1))
    (tensor([0.5000], dtype=torch.float64), tensor([0.5000], dtype=torch.float64))
    """
    # A histogram holds all there is to know, exactly, and needs no copy of the images in floating point.
    if isinstance(images, LazyImages):
        histograms = images.histograms()
    else:
        channels = range(images.shape[-1])
        histograms = torch.stack([images[..., channel].flatten().bincount(minlength=256) for channel in channels])
    weights = histograms.double() / (images.numel() // images.shape[-1])
    values = torch.arange(256, dtype=torch.float64) / 255.0
    mean = weights @ values
    std = (weights * (values - mean[:, None]).square()).sum(1).sqrt()
    return mean, _nonzero(std, weights.amax(1) == 1.0)


def table_statistics(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each feature of (N, F) rows, in float64.

    >>> table_statistics(torch.tensor([[0.0, 5.0], [4.0, 5.0]]))  # a feature that never changes has spread 1
    (tensor([2., 5.], dtype=torch.float64), tensor([2., 1.], dtype=torch.float64))
    """
    exact = rows.double()
    return exact.mean(0), _nonzero(exact.std(0, correction=0), (rows == rows[0]).all(0))


def _nonzero(std: Tensor, constant: Tensor) -> Tensor:
    # Rounding may leave a constant feature a tiny spread, which would blow up a test value that differs.
    return torch.where(constant, 1.0, std)
