"""One update of any optimizer, plain or sharpness-aware."""

from __future__ import annotations

from torch import Tensor
from torch.amp import GradScaler
from torch.optim import Optimizer

from samcli.optim.engine import SharpnessAware
from samcli.optim.scaled import scaled_step
from samcli.optim.step import Closure


def take_step(optimizer: Optimizer, closure: Closure, scaler: GradScaler | None = None) -> Tensor:
    """One update with a sharpness-aware or a plain optimizer, and the loss before it.

    A plain optimizer could take the closure itself, but would call it after its step hooks, which are where
    `clip_gradient` must see the gradient.
    """
    if isinstance(optimizer, SharpnessAware):
        return optimizer.step(closure, scaler)
    loss = closure().detach()
    if scaler is None:
        optimizer.step()
    else:
        scaled_step(optimizer, scaler)
    return loss
