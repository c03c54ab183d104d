"""Augmentations of torchvision that each image has for itself: its draws are a function of a number of its own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import torch
from torch import Tensor

from samcli.streams import stream

NAMES = ("random-resized-crop", "rand-augment", "trivial-augment", "colour-jitter")  # the order of their application


def _transform(name: str, height: int, width: int) -> Callable[[Tensor], Tensor]:
    """The transform of a name, with the settings of its paper and of torchvision."""
    from torchvision.transforms import v2

    transforms: dict[str, Callable[[], Any]] = {
        "random-resized-crop": lambda: v2.RandomResizedCrop((height, width)),
        "rand-augment": v2.RandAugment,
        "trivial-augment": v2.TrivialAugmentWide,
        "colour-jitter": lambda: v2.ColorJitter(brightness=0.4, contrast=0.4, saturation=0.4),
    }
    made: Callable[[Tensor], Tensor] = transforms[name]()
    return made


class PerImage:
    """Some of these augmentations, each image of a batch for itself.

    torchvision draws from torch's global generator. It is set to a number of the image's own before each transform, and
    put back after the batch: what becomes of an image depends on nothing that was drawn before.

    >>> both = PerImage(("trivial-augment", "crop"), 8, 8)
    >>> images, numbers = torch.zeros(3, 8, 8, 1, dtype=torch.uint8), both.numbers(3, seed=0, epoch=1)
    >>> both(images, numbers).shape, len(numbers)
    (torch.Size([3, 8, 8, 1]), 1)

    Args:
        augment: names, of which others are passed over.
        height: of the images.
        width: likewise.
    """

    def __init__(self, augment: Collection[str], height: int, width: int) -> None:
        self._transforms = {name: _transform(name, height, width) for name in NAMES if name in augment}

    def __bool__(self) -> bool:
        return bool(self._transforms)

    def numbers(self, n: int, seed: int, epoch: int) -> list[list[int]]:
        """For each augmentation the numbers of the examples of an epoch, in its order."""
        return [
            torch.randint(2**63 - 1, (n,), generator=stream(seed, name, epoch)).tolist() for name in self._transforms
        ]

    def __call__(self, images: Tensor, numbers: Sequence[Sequence[int]]) -> Tensor:
        """The images of a batch, (B, H, W, C) uint8, changed by the numbers of these examples."""
        before, made = torch.get_rng_state(), []
        try:
            for image, *own in zip(images.permute(0, 3, 1, 2), *numbers, strict=True):
                changed = image
                for transform, number in zip(self._transforms.values(), own, strict=True):
                    torch.default_generator.manual_seed(number)  # torch.manual_seed would seed GPUs as well
                    changed = transform(changed)
                made.append(changed)
        finally:
            torch.set_rng_state(before)
        return torch.stack(made).permute(0, 2, 3, 1)
