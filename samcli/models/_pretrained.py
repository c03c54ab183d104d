"""Published weights of a model, and what went in where they were trained."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from samcli.errors import ConfigError, DataError, require_utf8


@dataclass(frozen=True)
class Pretrained:
    """Weights that a model begins with, and the images that they were trained on.

    Attributes:
        name: what they are called, for messages.
        find: their file on this machine; None where it is to be downloaded.
        fetch: their file, downloaded if need be; raises a `DataError` where it cannot be.
        mean, std: of each channel, on the scale from 0 to 1: what inputs are normalised by.
        size: side of the images in pixels; None if nobody says.
        spare: beginnings of names in the file that the model need not have.
        rename: the model's own name for a name in the file.
    """

    name: str
    find: Callable[[], Path | None]
    fetch: Callable[[], Path]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    size: int | None
    spare: tuple[str, ...] = ()
    rename: Callable[[str], str] = str


def for_channels(tensors: Mapping[str, Tensor], first: str, channels: int) -> dict[str, Tensor]:
    """The tensors of a network for images of another number of channels.

    One channel gets the sum of the first convolution's weights over its channels, so that it counts as that many equal
    ones. Of more, each gets the weights of one channel in turn, scaled so that their sum stays what it was.

    Args:
        tensors: by name.
        first: the name of the first convolution's weights, (out, in, height, width).
        channels: those of the images.

    >>> import torch
    >>> for_channels({"conv.weight": torch.ones(2, 3, 1, 1)}, "conv.weight", 1)["conv.weight"].flatten()
    tensor([3., 3.])
    """
    weights = tensors.get(first)
    if weights is None or weights.dim() != 4 or weights.shape[1] == channels:
        return dict(tensors)
    there = weights.shape[1]
    if channels == 1:
        changed = weights.sum(dim=1, keepdim=True)
    else:
        changed = weights[:, [i % there for i in range(channels)]] * (there / channels)
    return {**tensors, first: changed}


def absolute(path: str | None) -> str | None:
    """The absolute path: the same file from wherever it is named.

    Raises:
        ConfigError: it is no path, or one that cannot be written into a configuration.

    >>> absolute("/runs/../runs/first")
    '/runs/first'
    """
    if path is None:
        return None
    try:
        return require_utf8(os.path.abspath(Path(require_utf8(path)).expanduser()))
    except (OSError, RuntimeError, ValueError) as error:
        raise ConfigError(f"{path!r:.100} names no file or folder ({error}).") from error


def name_or_file(weights: str | None) -> str | None:
    """The weights as they are named, or the absolute path of a file: what has a folder or ends like a file is one.

    >>> name_or_file("DEFAULT"), name_or_file("/weights/../mine.pth")
    ('DEFAULT', '/mine.pth')
    """
    return absolute(weights) if weights is not None and is_file(weights) else weights


def is_file(weights: str) -> bool:
    """Whether weights are named by a file.

    >>> is_file("IMAGENET1K_V1"), is_file("mine.pth"), is_file("~/mine")
    (False, True, True)
    """
    return "/" in weights or os.sep in weights or weights.endswith((".pth", ".pt", ".safetensors", ".bin"))


def downloaded(name: str, url: str, target: Path, hash_prefix: str | None = None) -> Path:
    """The file of published weights, downloaded unless it is there.

    Raises:
        DataError: it is not, and cannot be downloaded.
    """
    if target.is_file():
        return target
    from torch.hub import download_url_to_file

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        download_url_to_file(url, str(target), hash_prefix, progress=False)
    except (OSError, RuntimeError) as error:  # no network, a disk that is full, a file of another content
        raise DataError(not_at_hand(name, url, str(error))) from error
    return target


def not_at_hand(name: str, source: str, reason: str) -> str:
    """A sentence for published weights that cannot be had.

    >>> not_at_hand("resnet18", "https://example.org/r18.pth", "no network")[:70]
    'resnet18 is not on this machine and cannot be downloaded from https://'
    """
    short = reason.strip().partition("\n")[0].rstrip(".")[:200]
    return (
        f"{name} is not on this machine and cannot be downloaded from {source} ({short}); download the file elsewhere, "
        "and give its path: weights: FILE."
    )
