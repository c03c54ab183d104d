"""The function whose sharpness is measured: the mean loss over all examples, as a function of the parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

Loss = Callable[[Tensor, Tensor], Tensor]
Batches = Sequence[tuple[Tensor, Tensor]]


class Problem:
    """L(w) = (1/n) Σ ℓ(f_w(x_i), y_i) and its derivatives.

    A batch of n_b examples counts n_b/n, so values do not depend on how the examples are cut into batches.

    Args:
        model: in evaluation mode; its parameters with `requires_grad` are w.
        loss: of an output and a target, the mean over a batch.
        data: (input, target) batches of any sizes.
        seed: for the measures that draw random numbers.

    Raises:
        ValueError: no examples, or no parameters that require a gradient.
    """

    def __init__(self, model: nn.Module, loss: Loss, data: Batches, seed: int) -> None:
        self._model, self._loss = model, loss
        # a list, for an iterator would be empty after the first pass; the mean over an empty batch is NaN
        self._data = [(inputs, targets) for inputs, targets in data if len(inputs)]
        self.seed = seed
        self.examples = sum(len(inputs) for inputs, _ in self._data)
        named = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
        if not self.examples:
            raise ValueError("Sharpness is measured on examples: data holds none.")
        if not named:
            raise ValueError("Sharpness is measured along parameters: none of the model requires a gradient.")
        self.names = [name for name, _ in named]
        self.parameters: list[Tensor] = [parameter for _, parameter in named]

    @property
    def dtype(self) -> str:
        """Of the parameters, as `float32`."""
        return str(self.parameters[0].dtype).removeprefix("torch.")

    @property
    def dimension(self) -> int:
        """The number of parameters."""
        return sum(parameter.numel() for parameter in self.parameters)

    @cached_property
    def loss_and_gradient(self) -> tuple[float, list[Tensor]]:
        """L(w) and ∇L(w), computed once for all measures; an unused parameter has gradient zero."""
        total = torch.zeros((), dtype=torch.float64, device=self.parameters[0].device)
        gradient = [torch.zeros_like(parameter) for parameter in self.parameters]
        for inputs, targets in self._data:
            weight = len(inputs) / self.examples
            loss = self._loss(self._model(inputs), targets)
            total += weight * loss.detach()
            if loss.requires_grad:
                parts = torch.autograd.grad(loss, self.parameters, allow_unused=True, materialize_grads=True)
                torch._foreach_add_(gradient, parts, alpha=weight)
        return float(total), gradient

    def loss_at(self, epsilon: Sequence[Tensor]) -> float:
        """L(w + ε); the parameters come back bit for bit."""
        saved = [parameter.detach().clone() for parameter in self.parameters]
        total = torch.zeros((), dtype=torch.float64, device=self.parameters[0].device)
        with torch.no_grad():
            try:
                torch._foreach_add_(self.parameters, list(epsilon))
                for inputs, targets in self._data:
                    total += len(inputs) / self.examples * self._loss(self._model(inputs), targets)
            finally:
                torch._foreach_copy_(self.parameters, saved)
        return float(total)

    def hessian_times(self, vector: Tensor) -> Tensor:
        """∇²L(w) v for a flat v, by differentiating ⟨∇L(w), v⟩ (Pearlmutter, 1994).

        Fused attention has no second derivative, so it is replaced by its plain form.
        """
        direction = self._unflatten(vector)
        product = torch.zeros_like(vector)
        for inputs, targets in self._data:
            with sdpa_kernel(SDPBackend.MATH):
                loss = self._loss(self._model(inputs), targets)
                if not loss.requires_grad:  # a loss that does not depend on the parameters
                    continue
                first = torch.autograd.grad(
                    loss, self.parameters, create_graph=True, allow_unused=True, materialize_grads=True
                )
                inner = torch.stack([(g * d).sum() for g, d in zip(first, direction, strict=True)]).sum()
                if not inner.requires_grad:  # a loss linear in the parameters
                    continue
                second = torch.autograd.grad(inner, self.parameters, allow_unused=True, materialize_grads=True)
            product.add_(torch.cat([part.reshape(-1) for part in second]), alpha=len(inputs) / self.examples)
        return product

    def _unflatten(self, vector: Tensor) -> list[Tensor]:
        pieces = torch.split(vector, [parameter.numel() for parameter in self.parameters])
        return [piece.view(parameter.shape) for piece, parameter in zip(pieces, self.parameters, strict=True)]
