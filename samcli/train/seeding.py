"""Seeds: each use of randomness has its own stream, a function of the run's seed and of what it is for."""

from __future__ import annotations

import hashlib

import torch


def seed_for(seed: int, *purpose: str | int) -> int:
    """A seed for one purpose, far from that of any other.

    >>> seed_for(0, "weights") == seed_for(0, "weights")
    True
    >>> seed_for(0, "epoch", 1) == seed_for(0, "epoch", 2)
    False
    """
    text = "/".join(map(str, (seed, *purpose)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1


def seed_everything(seed: int, *purpose: str | int) -> None:
    """Seed torch's global generators, of the CPU and of every accelerator.

    cuDNN is told to take algorithms that add up in the same order each time: otherwise the same seed would give other
    bits on the same GPU. Nothing changes on a CPU.

    >>> seed_everything(0, "weights")
    >>> first = torch.rand(3)
    >>> seed_everything(0, "weights")
    >>> bool((torch.rand(3) == first).all())
    True
    """
    number = seed_for(seed, *purpose)
    if torch.accelerator.is_available():
        torch.manual_seed(number)
    else:  # the same on a CPU, and in a hundredth of the time: nothing is noted for accelerators that may come
        torch.default_generator.manual_seed(number)
    torch.backends.cudnn.deterministic = True
