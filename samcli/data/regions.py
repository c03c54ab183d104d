"""Rectangles of images: filled, or taken from another image."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from samcli.streams import stream, stream_seed

# Random erasing as torchvision has it, after Zhong et al. (AAAI 2020)
ERASED_SHARE = 0.5  # of the images
ERASED_AREA = (0.02, 0.33)  # of the image
ERASED_RATIO = (0.3, 3.3)  # height by width
_TRIES = 10  # for a rectangle that lies within the image

Box = tuple[int, int, int, int]  # top, bottom, left, right


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
    half = min(x.shape[2:]) // 4
    return fill_(x, centre_y - half, centre_y + half, centre_x - half, centre_x + half)


def fill_(x: Tensor, top: Tensor, bottom: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """Fill a rectangle of each image with 0, in place; what lies beyond the border is cut off.

    Args:
        x: (B, C, H, W), changed in place.
        top: (B,) int64, the first row.
        bottom: (B,) int64, the first row that is left as it is.
        left: (B,) int64, the first column.
        right: (B,) int64, the first column that is left as it is.

    >>> one, two, three = (torch.tensor([n]) for n in (1, 2, 3))
    >>> fill_(torch.ones(1, 1, 3, 3), one, two, one, three)
    tensor([[[[1., 1., 1.],
              [1., 0., 0.],
              [1., 1., 1.]]]])
    """
    row, column = (torch.arange(side, device=x.device) for side in x.shape[2:])
    rows = (row >= top[:, None]) & (row < bottom[:, None])
    columns = (column >= left[:, None]) & (column < right[:, None])
    return x.masked_fill_((rows[:, :, None] & columns[:, None, :])[:, None], 0.0)


def erased(n: int, height: int, width: int, seed: int, epoch: int) -> Tensor:
    """The rectangle of each example of an epoch that random erasing fills, (4, n): top, bottom, left, right.

    Half of the images have one, of 2 to 33 % of the area and of a height by width from 0.3 to 3.3 in equal steps of its
    logarithm; one that is as high or as wide as the image is drawn anew, up to ten times. The others have an empty one.

    >>> top, bottom, left, right = erased(1000, 32, 32, seed=0, epoch=1)
    >>> 450 < int((bottom > top).sum()) < 550
    True
    """
    generator = stream(seed, "random-erasing", epoch)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(shape, generator=generator, dtype=torch.float64)

    area = uniform(*ERASED_AREA, _TRIES, n) * (height * width)
    ratio = uniform(math.log(ERASED_RATIO[0]), math.log(ERASED_RATIO[1]), _TRIES, n).exp()
    heights, widths = (area * ratio).sqrt().round().long(), (area / ratio).sqrt().round().long()
    fits = (heights < height) & (widths < width)
    first = fits.int().argmax(0, keepdim=True)
    has_one = (uniform(0.0, 1.0, n) < ERASED_SHARE) & fits.any(0)
    tall, wide = (sides.gather(0, first)[0] * has_one for sides in (heights, widths))
    top, left = ((uniform(0.0, 1.0, n) * (side - own + 1)).long() for side, own in ((height, tall), (width, wide)))
    return torch.stack([top, top + tall, left, left + wide])


def cutmix_boxes(steps: int, height: int, width: int, seed: int, epoch: int) -> list[Box]:
    """The rectangle of each batch of an epoch that CutMix takes from another image.

    Its centre is anywhere in the image, its share of the area 1 - λ with λ ~ Beta(1, 1), and what lies beyond the
    border is cut off (Yun et al., ICCV 2019, section 3.1), as in torchvision.

    >>> len(cutmix_boxes(5, 8, 12, seed=0, epoch=1))
    5
    """
    shares = np.random.default_rng(stream_seed(seed, "cutmix", epoch)).beta(1.0, 1.0, steps)
    generator = stream(seed, "cutmix", epoch)
    rows, columns = (torch.randint(side, (steps,), generator=generator).tolist() for side in (height, width))
    boxes = []
    for share, y, x in zip(shares, rows, columns, strict=True):
        half = 0.5 * math.sqrt(1.0 - share)
        tall, wide = int(half * height), int(half * width)
        boxes.append((max(y - tall, 0), min(y + tall, height), max(x - wide, 0), min(x + wide, width)))
    return boxes


def cutmix_(x: Tensor, box: Box) -> float:
    """Put a rectangle of each image's neighbour in the batch into it, in place; the share of what is left of it.

    >>> x = torch.tensor([1.0, 2.0]).view(2, 1, 1, 1).repeat(1, 1, 2, 2)
    >>> cutmix_(x, (0, 1, 0, 1)), x[0, 0]
    (0.75, tensor([[2., 1.],
            [1., 1.]]))
    """
    top, bottom, left, right = box
    x[:, :, top:bottom, left:right] = x[:, :, top:bottom, left:right].roll(1, 0)
    return 1.0 - (bottom - top) * (right - left) / (x.shape[2] * x.shape[3])
