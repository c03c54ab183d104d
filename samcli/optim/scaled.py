"""Steps whose gradients are those of a scaled loss."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch.amp import GradScaler
from torch.optim import Optimizer

from samcli.optim.means import ByParameter, Descent, StepMeans
from samcli.weights.geometry import global_norm


def scaled_step(optimizer: Optimizer, scaler: GradScaler) -> None:
    """Unscale, step unless a gradient is not finite, and let the scaler take note."""
    # unscaled here and not within a fused step, so that a hook which clips the gradient sees its true size
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()


def scaled_update(
    scaler: GradScaler, base: Optimizer, means: StepMeans, finite: bool, update: Callable[[Descent], None]
) -> bool:
    """The update from the means of a step where all is finite, which the scaler is told either way, once.

    All before worked on unscaled gradients, and the scaler unscales the first that is descended: the scale is a power
    of two, so that to multiply by it here and to divide again there rounds nothing.

    Args:
        scaler: whose scale the closure's loss had.
        base: the optimizer that takes the step.
        means: over the micro-batches.
        finite: whether the first gradients of the step were.
        update: makes the update, given what descends a gradient.

    Returns:
        Whether all was finite.
    """
    if not means.gradient:
        return finite
    sound, told = finite and bool(torch.isfinite(global_norm(means.tensors()))), False

    def descend(gradient: ByParameter) -> None:
        nonlocal told
        gradient.hand_over()
        if told:
            base.step()
            return
        torch._foreach_mul_(list(gradient.values()), scaler.get_scale())
        if not sound:
            next(iter(gradient.values())).fill_(math.inf)  # wherever it overflowed: the scaler must see it
        scaled_step(base, scaler)
        told = True

    if sound:
        update(descend)
    else:
        descend(means.gradient)
    return sound
