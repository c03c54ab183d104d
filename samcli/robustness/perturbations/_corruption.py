"""What all corruptions share: five severities, and their mean.

D. Hendrycks, T. Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and Perturbations" (ICLR
2019): images are changed as cameras, weather and files change them, whatever the network is. Kinds and constants are
those of their CIFAR-10-C where it has them. Lengths are for images of 32 pixels and grow with the shorter side.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from samcli.robustness.base import Perturbation
from samcli.robustness.outcome import Outcome, mean_of
from samcli.robustness.subject import Subject

SIDE = 32  # pixels, of the images that constants are for


@dataclass(frozen=True, kw_only=True)
class Corruption(Perturbation):
    """The mean accuracy over five severities of one kind of corruption.

    Attributes:
        LEVELS: the constant of each severity.
    """

    LEVELS: ClassVar[tuple[float, ...]]

    def of(self, subject: Subject) -> Outcome:
        found = self.values(subject)
        severities = found.mean(1).tolist()
        return mean_of(found.mean(0), "accuracy", severities=severities, levels=list(self.LEVELS), seed=subject.seed)

    def values(self, subject: Subject) -> Tensor:
        """Whether each image is right at each severity, (5, n) float64 of 0 and 1."""
        subject.need_classes()
        pixels, name = subject.pixels, type(self).__name__

        def at(level: float) -> Tensor:
            def change(inputs: Tensor, targets: Tensor, place: slice) -> Tensor:
                clean = pixels.from_inputs(inputs).clamp(0.0, 1.0)
                noise = subject.generators(f"{name} {level}", place)
                return pixels.to_inputs(in_bytes(self.corrupted(clean, level, noise)))

            return subject.values(change)

        return subject.cached(name, lambda: torch.stack([at(level) for level in self.LEVELS]).double())

    @abstractmethod
    def corrupted(self, images: Tensor, level: float, generators: Iterator[torch.Generator]) -> Tensor:
        """Images, (B, C, H, W) of pixels from 0 to 1, after the corruption; what is out of range is clamped later.

        Args:
            images: on any device; they stay as they are.
            level: the constant of the severity.
            generators: on the host, one for each image in turn.
        """


def in_bytes(pixels: Tensor) -> Tensor:
    """Pixels as an image of 8 bits holds them, the nearest of 256 values.

    >>> in_bytes(torch.tensor([-0.2, 0.5, 1.5]))
    tensor([0.0000, 0.5020, 1.0000])
    """
    return (pixels.clamp(0.0, 1.0) * 255.0).round() / 255.0


def drawn(images: Tensor, generators: Iterator[torch.Generator], uniform: bool = False) -> Tensor:
    """Standard normal numbers, or uniform ones from 0 to 1, of the shape of the images, each from its own generator."""
    draw = torch.rand if uniform else torch.randn
    made = [draw(image.shape, generator=generator) for image, generator in zip(images, generators, strict=True)]
    return torch.stack(made).to(images)


def shorter_side(images: Tensor) -> int:
    """Of the images, in pixels."""
    return min(images.shape[2:])
