"""Images turned when a run loads them, each by an angle of its own."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from samcli.data.lazy import LazyImages
from samcli.data.split import SUBSET_SEED
from samcli.errors import ConfigError
from samcli.rotation import turned
from samcli.streams import stream

CHUNK = 4096  # images that are floats at a time


def rotated(images: Tensor, bounds: Sequence[float], part: str, numbers: Tensor | None = None) -> Tensor:
    """Images turned by `angles`, rounded to 8 bits again; the same tensor where nothing is turned.

    >>> upright = torch.tensor([[1, 2], [3, 4]], dtype=torch.uint8).reshape(1, 2, 2, 1)
    >>> rotated(upright, (90.0, 90.0), "test").flatten()
    tensor([2, 4, 1, 3], dtype=torch.uint8)

    Args:
        images: (N, H, W, C) uint8.
        bounds: the least and the largest angle; empty for none.
        part: of the data set, which has angles of its own.
        numbers: (N,), those of the images in that part; None if these are all of it.

    Raises:
        ConfigError: the images are not in memory.
    """
    if not bounds:
        return images
    if isinstance(images, LazyImages):
        raise ConfigError(
            "rotate turns images that are in memory, and these are read when they are due; leave dataset.stream and "
            "--cache-dir out."
        )
    numbers = torch.arange(len(images)) if numbers is None else numbers
    by = angles(bounds, part, numbers)
    made = torch.empty_like(images)
    for start in range(0, len(images), CHUNK):
        chunk = slice(start, start + CHUNK)
        floats = turned(images[chunk].permute(0, 3, 1, 2).float(), by[chunk])
        made[chunk] = floats.round().clamp(0.0, 255.0).to(torch.uint8).permute(0, 2, 3, 1)
    return made


def angles(bounds: Sequence[float], part: str, numbers: Tensor) -> Tensor:
    """The angle of each image in degrees, uniform between the bounds: a function of its part and its number alone.

    >>> first, second = angles((0.0, 5.0), "test", torch.tensor([3])), angles((0.0, 10.0), "test", torch.tensor([2, 3]))
    >>> torch.equal(2 * first, second[1:])
    True

    Args:
        bounds: low and high.
        part: "training", "validation" or "test".
        numbers: (N,), of images in that part.
    """
    low, high = bounds
    most = int(numbers.max()) + 1 if len(numbers) else 0
    shares = torch.rand(most, generator=stream(SUBSET_SEED, f"rotate {part}"), dtype=torch.float64)
    return low + (high - low) * shares[numbers]
