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
    """Unscale the gradients, take a step unless one of them is not finite, and update the scaler.

    >>> weight = torch.nn.Parameter(torch.tensor([1.0]))
    >>> base, scaler = torch.optim.SGD([weight], lr=0.25), GradScaler("cpu", init_scale=1024.0)
    >>> scaler.scale(weight.square().sum()).backward()  # a gradient of 2048
    >>> scaled_step(base, scaler)
    >>> weight.data
    tensor([0.5000])
    """
    # unscaled here and not within a fused step, so that a hook which clips the gradient sees its true size
    scaler.unscale_(optimizer)
    if not _begins_its_momentum(optimizer) or _is_finite(optimizer):
        scaler.step(optimizer)
    scaler.update()


def _begins_its_momentum(optimizer: Optimizer) -> bool:
    """Whether this is its first step, which fused SGD must not be left to skip: it would keep uninitialised memory."""
    return not optimizer.state and any(group.get("momentum") for group in optimizer.param_groups)


def _is_finite(optimizer: Optimizer) -> bool:
    """Whether all gradients are; the host waits for the device, once."""
    gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
    return not gradients or bool(torch.isfinite(global_norm(gradients)))


def scaled_update(
    scaler: GradScaler, base: Optimizer, means: StepMeans, finite: bool, update: Callable[[Descent], None]
) -> bool:
    """Update the weights from the means of a step unless something is not finite, and tell the scaler once.

    The passes of the step gave unscaled gradients, while the scaler unscales the first gradient that is descended. It
    is therefore multiplied by the scale here, which rounds nothing: the scale is a power of two.

    Args:
        scaler: the one that the closure scaled its loss with.
        base: the optimizer that takes the step.
        means: over the micro-batches.
        finite: whether the first gradients of the step were.
        update: makes the update, given what descends a gradient.

    Returns:
        Whether all was finite.

    >>> weight = torch.nn.Parameter(torch.tensor([1.0]))
    >>> base, scaler = torch.optim.SGD([weight], lr=0.25), GradScaler("cpu", init_scale=1024.0)
    >>> loss = scaler.scale(weight.square().sum())  # too large, say: its gradient overflowed
    >>> means = StepMeans()
    >>> means.gradient.add([weight], [torch.tensor([math.inf])], share=1.0)
    >>> scaled_update(scaler, base, means, True, lambda descend: descend(means.gradient)), scaler.get_scale()
    (False, 512.0)
    """
    if not means.gradient:
        return finite
    sound, told = finite and bool(torch.isfinite(means.norm())), False

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
