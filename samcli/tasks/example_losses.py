"""The loss of each example, from a loss that takes the mean over a batch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def example_losses(loss: Callable[[Tensor, Tensor], Tensor], outputs: Tensor, targets: Tensor) -> Tensor:
    """The loss of each example, (B,), float32 or wider, of a loss that takes the mean over a batch.

    Args:
        loss: `loss(outputs, targets)`; it is applied to batches of one example.
        outputs: of the model, (B, ...); the result is differentiable in them.
        targets: (B, ...).

    >>> outputs, targets = torch.tensor([[1.0], [3.0]]), torch.tensor([[0.0], [0.0]])
    >>> example_losses(torch.nn.functional.mse_loss, outputs, targets)
    tensor([1., 9.])
    """
    outputs = outputs.to(torch.promote_types(outputs.dtype, torch.float32))
    each: Tensor = torch.vmap(lambda o, t: loss(o.unsqueeze(0), t.unsqueeze(0)))(outputs, targets)
    return each
