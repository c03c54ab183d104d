"""Gradients from before a step, which the closure has to clear."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable

import torch
from torch import Tensor

Closure = Callable[[], Tensor]


class Leftovers:
    """The gradients that steps leave behind, told apart from those of a backward pass outside a closure.

    What a closure does not clear it adds to: the first pass would climb the sum of both, the second descend its own
    alone. The gradients of the last step are no concern, for a closure that did not clear them would never have worked.

    >>> weight, left = torch.nn.Parameter(torch.ones(1)), Leftovers()
    >>> weight.grad = torch.ones(1)
    >>> left.foreign([weight]) == [weight]
    True
    >>> left.note([weight])
    >>> left.foreign([weight])
    []
    """

    def __init__(self) -> None:
        self._left: dict[Tensor, tuple[weakref.ref[Tensor], int]] = {}

    def __getstate__(self) -> dict[str, object]:
        """Nothing: the gradients of a copy are others."""
        return {"_left": {}}

    def note(self, parameters: Iterable[Tensor]) -> None:
        """Remember the gradients that a step has left, without keeping them alive."""
        self._left = {p: (weakref.ref(p.grad), p.grad._version) for p in parameters if p.grad is not None}

    def foreign(self, parameters: Iterable[Tensor]) -> list[Tensor]:
        """The trainable parameters with a gradient that the last step did not leave, or that was added to since."""
        return [p for p in parameters if p.requires_grad and p.grad is not None and not self._is_own(p, p.grad)]

    def _is_own(self, p: Tensor, gradient: Tensor) -> bool:
        left, version = self._left.get(p, (None, 0))
        return left is not None and left() is gradient and version == gradient._version

    def guarded(self, closure: Closure, parameters: Iterable[Tensor]) -> Closure:
        """The closure; where there are foreign gradients, one that raises an error unless it clears them.

        They are put out of the way, and a mark in the place of one of them shows whether it was cleared. The host looks
        at the device only if it may not have been.
        """
        foreign = self.foreign(parameters)
        if not foreign:
            return closure
        marked, *others = foreign
        assert marked.grad is not None
        mark = marked.grad = torch.full_like(marked.grad, float("nan"))
        for p in others:
            p.grad = None

        def checked() -> Tensor:
            loss = closure()
            if marked.grad is mark and isinstance(loss, Tensor) and bool(loss.isfinite().all() & mark.isnan().any()):
                marked.grad = None
                raise ValueError(
                    "The closure does not clear the gradients that were there before the step: let it begin with "
                    "optimizer.zero_grad(). To add up parts of a batch, do so inside the closure, or give step a "
                    "samcli.optim.Batch with accumulate."
                )
            return loss

        return checked
