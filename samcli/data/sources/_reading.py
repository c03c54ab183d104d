"""What a checkpoint keeps of how files became inputs, so that new ones can become such inputs too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import Tensor

from samcli.data.sources._depth import Depth


def image_reading(images: Tensor, depth: Depth | None = None) -> dict[str, Any]:
    """How image files become such images, see `samcli.data.one_image`.

    Args:
        images: (N, H, W, C), as they are read.
        depth: the range of those of more than 8 bits.

    >>> import torch
    >>> image_reading(torch.zeros(5, 28, 20, 1))
    {'size': [28, 20], 'channels': 1, 'resize': 'crop', 'depth': None}
    """
    _, height, width, channels = images.shape
    deep = None if depth is None else {"low": depth.low, "high": depth.high, "whole": depth.whole}
    return {"size": [height, width], "channels": channels, "resize": "crop", "depth": deep}


def feature_reading(names: Iterable[object]) -> dict[str, Any]:
    """What the columns of a table of numbers are called, in their order.

    >>> feature_reading(["age", "bmi"])
    {'features': ['age', 'bmi']}
    """
    return {"features": [str(name) for name in names]}
