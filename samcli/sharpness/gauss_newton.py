"""The product of the Gauss-Newton matrix of one batch with a vector."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_unflatten


def gauss_newton_product(
    outputs: Any, loss: Callable[[Any], Tensor], parameters: Sequence[Tensor], direction: Sequence[Tensor]
) -> Sequence[Tensor] | None:
    """Jᵀ (∂²ℓ/∂f²) J v, J the derivative of the outputs f by the parameters; None where it is zero.

    J v is the derivative of ⟨Jᵀu, v⟩ by u, so that whatever has a Hessian product has this one too. Forward-mode
    differentiation would be faster, but recurrent networks and some fused layers do not have it.

    Args:
        outputs: f, tensors in any structure, with their graph.
        loss: ℓ as a function of outputs in this structure.
        parameters: that J differentiates by.
        direction: v, in the shapes of the parameters.

    >>> w = torch.tensor([3.0], requires_grad=True)
    >>> gauss_newton_product({"f": 2 * w}, lambda found: found["f"].square().sum(), [w], [torch.ones(1)])  # 2 · 2 · 2
    (tensor([8.]),)
    """
    leaves, form = tree_flatten(outputs)
    places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, Tensor) and leaf.requires_grad]
    reached = [leaves[i] for i in places]
    free = [output.detach().requires_grad_() for output in reached]
    for place, leaf in zip(places, free, strict=True):
        leaves[place] = leaf
    value = loss(tree_unflatten(leaves, form))
    if not (reached and value.requires_grad):
        return None
    gradient = torch.autograd.grad(value, free, create_graph=True, allow_unused=True, materialize_grads=True)
    bending = [g for g in gradient if g.requires_grad]
    if not bending:  # a loss linear in the outputs
        return None
    covector = [torch.zeros_like(output, requires_grad=True) for output in reached]
    pulled = torch.autograd.grad(
        reached, parameters, covector, create_graph=True, allow_unused=True, materialize_grads=True
    )
    inner = torch.stack([(g * d).sum() for g, d in zip(pulled, direction, strict=True)]).sum()
    tangent = torch.autograd.grad(inner, covector, allow_unused=True, materialize_grads=True)
    along = [t for t, g in zip(tangent, gradient, strict=True) if g.requires_grad]
    bent = torch.autograd.grad(bending, free, along, allow_unused=True, materialize_grads=True)
    return torch.autograd.grad(reached, parameters, bent, allow_unused=True, materialize_grads=True)
