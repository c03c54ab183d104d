"""A step whose gradients are those of a scaled loss."""

from __future__ import annotations

from torch.amp import GradScaler
from torch.optim import Optimizer


def scaled_step(optimizer: Optimizer, scaler: GradScaler) -> None:
    """Unscale, step unless a gradient is not finite, and let the scaler take note."""
    # unscaled here and not within a fused step, so that a hook which clips the gradient sees its true size
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
