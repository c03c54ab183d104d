"""Random changes of whole batches on the device, each a function of seed, epoch and place in the epoch."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import cast

import torch
from torch import Tensor

from samcli.data.lazy import LazyImages
from samcli.data.per_image import NAMES, PerImage
from samcli.data.regions import cutout_, erased, fill_
from samcli.streams import stream

AUGMENTATIONS = ("crop", "flip", *NAMES, "random-erasing", "cutout", "cutmix")  # the order of their application

PADDING = 4  # zeros on each side before a random crop (He et al., CVPR 2016, section 4.2)


class ImageStore:
    """Training images laid out so that crop, flip and gather are one indexing operation.

    The images are padded and copied mirrored once, beside each other::

        store: (N or 2N, H + 2p, W + 2p, C) uint8

    A window of it at offset (dy, dx) is one crop. All windows together are a strided view with shape
    (2N, 2p + 1, 2p + 1, H, W·C), which takes no memory, and a batch of random crops is an index into that view.

    Attributes:
        inputs: the images as they were, (N, H, W, C), a view of the store.
        augment: what is done to them.
        cutmix: whether batches are mixed by it afterwards.
    """

    def __init__(self, images: Tensor, augment: Collection[str]) -> None:
        self._note(images.shape, augment)
        self._n, height, width, channels = images.shape
        p = PADDING if self._crop else 0
        store = images
        if self._flip or self._crop:
            copies = 2 if self._flip else 1
            store = images.new_zeros(copies * self._n, height + 2 * p, width + 2 * p, channels)
            store[: self._n, p : p + height, p : p + width] = images
        if self._flip:
            store[self._n :, p : p + height, p : p + width] = images.flip(2)
        self.inputs = store[: self._n, p : p + height, p : p + width]
        row, image = store.stride(1), store.stride(0)
        self._store = store
        self._windows = store.as_strided(
            (len(store), 2 * p + 1, 2 * p + 1, height, width * channels), (image, row, channels, row, 1)
        )

    def _note(self, shape: Sequence[int], augment: Collection[str]) -> None:
        if unknown := set(augment) - set(AUGMENTATIONS):
            known = f"{', '.join(AUGMENTATIONS[:-1])} and {AUGMENTATIONS[-1]}"
            raise ValueError(f"There is no augmentation named {min(unknown)!r}; known are {known}.")
        self._n, height, width, _ = shape
        self.augment = tuple(augment)
        self._sides = (height, width)
        self._flip, self._crop, self._erasing, self._cutout, self.cutmix = (
            name in augment for name in ("flip", "crop", "random-erasing", "cutout", "cutmix")
        )
        self._per_image = PerImage(augment, height, width)

    def plan(self, order: Tensor, seed: int, epoch: int) -> Tensor:
        """The random changes of each example of an epoch, (rows, N) int64 on the host.

        The rows are the number of the image in the store; then dy and dx, with crop; then the rectangle, with random
        erasing; then the centre of the hole, with cutout. Each augmentation has a random stream of its own, so that one
        changes nothing about the others.

        Args:
            order: (N,), the examples in the order of the epoch.
            seed: that of the run; with the epoch it decides all draws.
            epoch: any number.
        """
        n = len(order)
        rows = [order]
        if self._flip:
            rows = [order + self._n * torch.randint(2, (n,), generator=stream(seed, "flip", epoch))]
        if self._crop:
            rows.extend(torch.randint(2 * PADDING + 1, (2, n), generator=stream(seed, "crop", epoch)))
        if self._erasing:
            rows.extend(erased(n, *self._sides, seed, epoch))
        if self._cutout:
            generator = stream(seed, "cutout", epoch)
            rows.extend(torch.randint(side, (n,), generator=generator) for side in self._sides)
        return torch.stack(rows)

    def gather(self, plan: Tensor) -> Tensor:
        """The cropped and flipped images of some columns of the plan, (B, H, W, C) uint8."""
        if not self._crop:
            return self._store.index_select(0, plan[0])  # a tenth of the time of store[plan[0]] on the CPU
        height, width = self._sides
        return self._windows[plan[0], plan[1], plan[2]].view(plan.shape[1], height, width, -1)

    def cut(self, x: Tensor, plan: Tensor) -> Tensor:
        """Random erasing and cutout, in place, of the normalised images (B, C, H, W) of the same columns."""
        if self._erasing:
            first = 3 if self._crop else 1
            fill_(x, *plan[first : first + 4])
        return cutout_(x, plan[-2], plan[-1]) if self._cutout else x

    def pixels(self, host: Tensor, plan: Tensor, batches: Sequence[slice], seed: int, epoch: int) -> Iterator[Tensor]:
        """The images of an epoch in batches, (B, H, W, C) uint8, changed by all that is done before normalisation.

        Args:
            host: the plan, see `plan`.
            plan: the same on the device.
            batches: the columns of each.
            seed: that of the run.
            epoch: that of the plan.
        """
        numbers = self._per_image.numbers(host.shape[1], seed, epoch)
        for images, batch in zip(self._gathered(host, plan, batches), batches, strict=True):
            yield self._per_image(images, [own[batch] for own in numbers]) if self._per_image else images

    def _gathered(self, host: Tensor, plan: Tensor, batches: Sequence[slice]) -> Iterator[Tensor]:
        del host
        return (self.gather(plan[:, batch]) for batch in batches)


class LazyStore(ImageStore):
    """A store of images that are not in memory: a batch is read ahead, and then changed as all of them would be.

    Attributes:
        inputs: the images as they were.
        augment: what is done to them.
    """

    def __init__(self, images: LazyImages, augment: Collection[str]) -> None:
        self._note(images.shape, augment)
        self.inputs = cast(Tensor, images)
        self._images = images
        self._before = [name for name in ("flip", "crop") if name in augment]

    def gather(self, plan: Tensor) -> Tensor:
        return self._changed(self._images[plan[0] % self._n], plan)

    def _gathered(self, host: Tensor, plan: Tensor, batches: Sequence[slice]) -> Iterator[Tensor]:
        read = self._images.ahead(host[0, batch] % self._n for batch in batches)
        return (self._changed(images, plan[:, batch]) for images, batch in zip(read, batches, strict=True))

    def _changed(self, images: Tensor, plan: Tensor) -> Tensor:
        """The images of these columns, cropped and flipped by a store of their own."""
        if not self._before:
            return images
        n = len(images)
        own = torch.arange(n, device=plan.device) + n * (plan[0] >= self._n)
        return ImageStore(images, self._before).gather(torch.cat([own[None], plan[1:]]))


def store_of(images: Tensor, augment: Collection[str]) -> ImageStore:
    """The store of images that are in memory, or are not."""
    return LazyStore(images, augment) if isinstance(images, LazyImages) else ImageStore(images, augment)


def mix(values: Tensor, share: float) -> Tensor:
    """Each example of a batch averaged with its neighbour: share · v_i + (1 - share) · v_{i-1}.

    Mixup with one share λ for the batch (Zhang et al., ICLR 2018, section 2); since batches come in random order, the
    neighbour is a random partner. Apply it alike to inputs and to soft targets.

    >>> mix(torch.tensor([0.0, 1.0, 0.0]), 0.75)
    tensor([0.0000, 0.7500, 0.2500])
    """
    return values.lerp(values.roll(1, 0), 1.0 - share)
