"""The loss of each example, from a loss that takes the mean over a batch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def example_losses(loss: Callable[[Tensor, Tensor], Tensor], outputs: Tensor, targets: Tensor) -> Tensor:
    """The loss of each example, (B,), of a loss that takes the mean over a batch."""
    outputs = outputs.to(torch.promote_types(outputs.dtype, torch.float32))
    each: Tensor = torch.vmap(lambda o, t: loss(o.unsqueeze(0), t.unsqueeze(0)))(outputs, targets)
    return each
