"""Moving averages of gradients, for rules that climb along one or away from it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from samcli.optim.step import Step


def update_average(step: Step, name: str, gradient: Sequence[Tensor], share: float) -> list[Tensor]:
    """Average gradients: a ← (1 - share) a + share g, and a ← g for a parameter that has no average yet.

    A gradient that is not finite leaves the averages as they are, also where the host does not wait to find out.

    Args:
        step: keeps the average.
        name: of `Step.memory`.
        gradient: g, one tensor for each of the step's parameters.
        share: of the new gradient.

    Returns:
        The averages, the tensors of `Step.memory` themselves.
    """
    average, target = step.memory(name), list(gradient)
    begun: list[int] = step.state.setdefault(f"{name} begun", [])
    known = set(begun)
    new = [index for index, p in enumerate(step.parameters) if step.position[p] not in known]
    if not step.host_waits:
        finite = torch.isfinite(step.gradient_norm)
        target = [torch.where(finite, g, a) for g, a in zip(target, average, strict=True)]
    torch._foreach_lerp_(average, target, share)
    for index in new:
        average[index].copy_(target[index])
        begun.append(step.position[step.parameters[index]])
    return average
