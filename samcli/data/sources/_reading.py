"""What a checkpoint keeps of how files became inputs, so that new ones can become such inputs too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from torch import Tensor

from samcli.data.sources._depth import Depth

if TYPE_CHECKING:
    from samcli.data.lazy import LazyImages


def image_reading(
    images: Tensor | LazyImages, depth: Depth | None = None, *, way: str = "crop", shrink: int = 1
) -> dict[str, Any]:
    """How image files become such images, see `samcli.data.one_image`.

    Args:
        images: (N, H, W, C), as they are read.
        depth: the range of those of more than 8 bits.
        way: how images of another size are brought to that before `shrink`, see `Resizing`.
        shrink: the side of the blocks of pixels whose means they are.

    >>> import torch
    >>> image_reading(torch.zeros(5, 28, 20, 1), shrink=2)
    {'size': [56, 40], 'channels': 1, 'resize': 'crop', 'shrink': 2, 'depth': None}
    """
    _, height, width, channels = images.shape
    deep = None if depth is None else {"low": depth.low, "high": depth.high, "whole": depth.whole}
    size = [height * shrink, width * shrink]
    return {"size": size, "channels": channels, "resize": way, "shrink": shrink, "depth": deep}


def feature_reading(names: Iterable[object]) -> dict[str, Any]:
    """What the columns of a table of numbers are called, in their order.

    >>> feature_reading(["age", "bmi"])
    {'features': ['age', 'bmi']}
    """
    return {"features": [str(name) for name in names]}
