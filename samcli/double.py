"""Double precision where the device has it, and on the CPU where not: Apple's GPUs have single precision only."""

from __future__ import annotations

import torch
from torch import Tensor


def where_double_is(values: Tensor) -> Tensor:
    """The values on a device that computes in float64: on theirs, if it does.

    >>> where_double_is(torch.tensor([0.5])).device.type
    'cpu'
    """
    return values.cpu() if values.device.type == "mps" else values


def in_double(values: Tensor) -> Tensor:
    """The values in float64, on their device unless that has no float64.

    >>> in_double(torch.tensor([0.5])).dtype
    torch.float64
    """
    return where_double_is(values).double()


def zero_in_double(device: torch.device) -> Tensor:
    """A sum to begin with, in float64, on the device unless that has no float64.

    >>> zero_in_double(torch.device("mps")).device.type
    'cpu'
    """
    return torch.zeros((), dtype=torch.float64, device="cpu" if device.type == "mps" else device)
