"""One update of any optimizer, plain or sharpness-aware."""

from __future__ import annotations

from torch import Tensor
from torch.amp import GradScaler
from torch.optim import Optimizer

from samcli.optim.engine import SharpnessAware
from samcli.optim.scaled import scaled_step
from samcli.optim.step import Closure


def take_step(optimizer: Optimizer, closure: Closure, scaler: GradScaler | None = None) -> Tensor:
    """Update the weights with a sharpness-aware or a plain optimizer.

    A plain optimizer could take the closure itself, but would call it after its step hooks, which are where
    `clip_gradient` must see the gradient.

    >>> import torch
    >>> weight = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = torch.optim.SGD([weight], lr=0.25)
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = weight.square().sum()
    ...     loss.backward()
    ...     return loss
    >>> take_step(optimizer, closure), weight.data
    (tensor(1.), tensor([0.5000]))

    Args:
        optimizer: any of torch, or a `SharpnessAware`.
        closure: clears the gradients, runs forward and backward, and returns the loss.
        scaler: the one that the closure scales its loss with, if any; it is updated.

    Returns:
        The loss of the first pass, detached: the one before the update.
    """
    if isinstance(optimizer, SharpnessAware):
        return optimizer.step(closure, scaler)
    loss = closure().detach()
    if scaler is None:
        optimizer.step()
    else:
        scaled_step(optimizer, scaler)
    return loss
