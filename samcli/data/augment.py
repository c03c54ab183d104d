"""Random crop, flip, cutout and mixup of whole batches on the device."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor

from samcli.data.streams import stream

PADDING = 4  # zeros on each side before a random crop (He et al., CVPR 2016, section 4.2)


class ImageStore:
    """Training images laid out so that crop, flip and gather are one indexing operation.

    The images are padded and copied mirrored once, beside each other::

        store: (N or 2N, H + 2p, W + 2p, C) uint8

    A window of it at offset (dy, dx) is one crop. All windows together are a strided view with shape
    (2N, 2p + 1, 2p + 1, H, W·C), which takes no memory, and a batch of random crops is an index into that view.

    Attributes:
        inputs: the images as they were, (N, H, W, C), a view of the store.
    """

    def __init__(self, images: Tensor, augment: Collection[str]) -> None:
        if unknown := set(augment) - {"crop", "flip", "cutout"}:
            raise ValueError(f"There is no augmentation named {min(unknown)!r}; known are crop, flip and cutout.")
        self._n, height, width, channels = images.shape
        self._flip, self._crop, self._cutout = (name in augment for name in ("flip", "crop", "cutout"))
        self._sides = (height, width)
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

    def plan(self, order: Tensor, seed: int, epoch: int) -> Tensor:
        """The random changes of each example of an epoch, (rows, N) int64 on the host.

        The rows are the number of the image in the store; then dy and dx, with crop; then the centre of the hole, with
        cutout. Each augmentation has a random stream of its own, so that one changes nothing about the others.

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
        """Cutout, in place, of the normalised images (B, C, H, W) of the same columns, where it is asked for."""
        return cutout_(x, plan[-2], plan[-1]) if self._cutout else x


def cutout_(x: Tensor, centre_y: Tensor, centre_x: Tensor) -> Tensor:
    """Fill a square of each image with 0, the mean of normalised images, in place.

    The side of the square is half the shorter side of the image; its centre is anywhere in the image, and what lies
    beyond the border is cut off (DeVries and Taylor, 2017, section 3.2).

    Args:
        x: (B, C, H, W), changed in place.
        centre_y: (B,) int64, the row of each centre.
        centre_x: (B,) int64, its column.

    >>> cutout_(torch.ones(1, 1, 4, 4), torch.tensor([2]), torch.tensor([0]))  # half of it lies beyond the border
    tensor([[[[1., 1., 1., 1.],
              [0., 1., 1., 1.],
              [0., 1., 1., 1.],
              [1., 1., 1., 1.]]]])
    """
    height, width = x.shape[2:]
    half = min(height, width) // 4
    above = torch.arange(height, device=x.device) - centre_y[:, None]
    left = torch.arange(width, device=x.device) - centre_x[:, None]
    rows, columns = (above >= -half) & (above < half), (left >= -half) & (left < half)
    return x.masked_fill_((rows[:, :, None] & columns[:, None, :])[:, None], 0.0)


def mix(values: Tensor, share: float) -> Tensor:
    """Each example of a batch averaged with its neighbour: share · v_i + (1 - share) · v_{i-1}.

    Mixup with one share λ for the batch (Zhang et al., ICLR 2018, section 2); since batches come in random order, the
    neighbour is a random partner. Apply it alike to inputs and to soft targets.

    >>> mix(torch.tensor([0.0, 1.0, 0.0]), 0.75)
    tensor([0.0000, 0.7500, 0.2500])
    """
    return values.lerp(values.roll(1, 0), 1.0 - share)
