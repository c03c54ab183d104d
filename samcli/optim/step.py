"""One optimizer step as a variant sees it: gradients at the weights and around them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from samcli.optim.geometry import global_norm
from samcli.optim.guard import RandomState, buffers_untouched, parameter_names, replayed

Closure = Callable[[], Tensor]


class Step:
    """The passes of one step over one batch.

    Args:
        closure: clears the gradients, runs forward and backward, and returns the loss.
        parameters: all parameters that the base optimizer may update.
        rho: the radius at this step.
        index: the number of steps taken before this one.
        state: what the variant keeps between steps; tensors, numbers, and lists of them.
        model: the module whose buffers and random draws further passes must not disturb.
        groups: the optimizer's parameter groups, for the names of parameters.
        keep_gradient: whether `gradient` outlives the next pass.
        finite_on_host: whether to wait for the norm of the first gradient and act on it.

    Attributes:
        parameters: the parameters that had a gradient in the first pass; every list here is aligned with them.
        loss: the loss at the weights, detached.
        gradient_norm: ‖g‖₂ over all parameters, as a tensor on their device.
        finite: False if g holds an infinity or a NaN and the host may wait to find out.
    """

    def __init__(
        self,
        closure: Closure,
        parameters: list[Tensor],
        *,
        rho: float,
        index: int,
        state: dict[str, Any],
        model: nn.Module | None,
        groups: list[dict[str, Any]],
        keep_gradient: bool,
        finite_on_host: bool,
    ) -> None:
        self.rho = rho
        self.index = index
        self.state = state
        self.loss = torch.tensor(float("nan"))
        self.gradient_norm = torch.tensor(0.0)
        self.finite = True
        self.parameters: list[Tensor] = []
        self.late: dict[Tensor, Tensor] = {}
        self._closure = closure
        self._candidates = parameters
        self._model = model
        self._groups = groups
        self._keep_gradient = keep_gradient
        self._finite_on_host = finite_on_host
        self._gradient: list[Tensor] | None = None
        self._saved: list[Tensor] | None = None
        self._start = RandomState(parameters[0].device) if model is not None and parameters else None

    @property
    def gradient(self) -> list[Tensor]:
        """The gradient g at the weights, one tensor for each parameter."""
        if self._gradient is None:
            raise RuntimeError(
                "The gradient at the weights is gone: a variant that reads it later sets reuses_gradient."
            )
        return self._gradient

    @cached_property
    def names(self) -> list[str]:
        """The model's name of each parameter."""
        return parameter_names(self.parameters, self._model, self._groups)

    def evaluate(self) -> None:
        """The first pass, at the weights; the one that counts for running statistics."""
        self.loss = self._closure().detach()
        self.parameters = [p for p in self._candidates if p.grad is not None]
        self._gradient = [_take(p) for p in self.parameters]
        if self._gradient:
            self.gradient_norm = global_norm(self._gradient)
            self.finite = not self._finite_on_host or bool(torch.isfinite(self.gradient_norm))

    def gradient_at(self, epsilon: list[Tensor]) -> list[Tensor]:
        """g(w + ε) of the same batch, with the same random draws; the weights come back bit for bit.

        The list is emptied, so that ε does not occupy memory during the pass. A parameter without gradient in this
        pass counts as zero; one that had none in the first pass is not perturbed, and its gradient is handed to the
        base optimizer as it is.
        """
        if self._saved is None:
            self._saved = [p.clone() for p in self.parameters]
        if not self._keep_gradient:
            self._gradient = None
        try:
            torch._foreach_add_(self.parameters, epsilon)
            epsilon.clear()
            with ExitStack() as same:
                if self._model is not None and self._start is not None:
                    same.enter_context(replayed(self._start, self.parameters[0].device))
                    same.enter_context(buffers_untouched(self._model))
                self._closure()
        finally:
            # from a copy: subtracting ε would leave rounding errors that add up, and drift apart between processes
            torch._foreach_copy_(self.parameters, self._saved)
        gradient = [torch.zeros_like(p) if p.grad is None else _take(p) for p in self.parameters]
        self.late = {p: _take(p) for p in self._candidates if p.grad is not None}
        return gradient


def _take(parameter: Tensor) -> Tensor:
    """The gradient of a parameter, which then has none: a closure that zeroes in place cannot reach it any more."""
    gradient = parameter.grad
    assert gradient is not None
    parameter.grad = None
    return gradient
