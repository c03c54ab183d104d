"""The function whose sharpness is measured: the mean loss over all examples, as a function of the parameters."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from samcli.errors import NotApplicable
from samcli.sharpness.batch_gradients import BatchGradients
from samcli.sharpness.stability import Stability
from samcli.tasks.example_losses import example_losses
from samcli.weights.perturb import moved

T = TypeVar("T")
Loss = Callable[[Tensor, Tensor], Tensor]
Batches = Sequence[tuple[Tensor, Tensor]]


class Problem:
    """L(w) = (1/n) Σ ℓ(f_w(x_i), y_i) and its derivatives.

    A batch of n_b examples counts n_b/n, so values do not depend on how the examples are cut into batches, as long as
    BatchNorm's statistics do not.

    Args:
        model: in evaluation mode; its parameters with `requires_grad` are w.
        loss: `loss(output, target)`, the mean over a batch.
        data: (input, target) batches of any sizes.
        seed: for the measures that draw random numbers.
        batch_norm: what BatchNorm's statistics are taken from, see `samcli.sharpness.batch_norm`; the model is in this
            mode.
        stability: the edge of the optimizer that the model was trained with, if it is known.

    Attributes:
        names, parameters: those of the model that are perturbed.
        examples: n.
        products: Hessian-vector products computed so far, by all measures.

    Raises:
        ValueError: no examples, or no parameters that require a gradient.

    >>> model = nn.Linear(1, 1, bias=False)
    >>> _ = nn.init.ones_(model.weight)
    >>> problem = Problem(model, nn.functional.mse_loss, [(torch.ones(2, 1), torch.zeros(2, 1))], seed=0)
    >>> problem.loss_and_gradient, problem.loss_at([torch.ones(1, 1)])  # L(w) = w² at 1, and at 2
    ((1.0, [tensor([[2.]])]), 4.0)
    >>> problem.hessian_times(torch.ones(1))
    tensor([2.])
    """

    def __init__(
        self,
        model: nn.Module,
        loss: Loss,
        data: Batches,
        seed: int,
        *,
        batch_norm: str = "evaluation",
        stability: Stability | None = None,
    ) -> None:
        self._model, self._loss = model, loss
        self.batch_norm, self.stability = batch_norm, stability
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
        self.products = 0
        self._batch_gradients = BatchGradients(model, loss, self.parameters, self._data)
        self._cache: dict[str, object] = {}

    @property
    def dtype(self) -> str:
        """The type of the parameters, as `float32`."""
        return str(self.parameters[0].dtype).removeprefix("torch.")

    @property
    def batch_size(self) -> int:
        """Examples in the largest batch, on which values do not depend unless BatchNorm looks at batches."""
        return max(len(inputs) for inputs, _ in self._data)

    @property
    def dimension(self) -> int:
        """The number of parameters."""
        return sum(parameter.numel() for parameter in self.parameters)

    @cached_property
    def loss_and_gradient(self) -> tuple[float, list[Tensor]]:
        """L(w) and ∇L(w), computed once for all measures; an unused parameter has gradient zero."""
        return self._loss_and_gradient()

    def loss_and_gradient_at(self, epsilon: Sequence[Tensor]) -> tuple[float, list[Tensor]]:
        """L(w + ε) and ∇L(w + ε); the parameters come back bit for bit."""
        with self._at(epsilon):
            return self._loss_and_gradient()

    @contextmanager
    def _at(self, epsilon: Sequence[Tensor] | None) -> Iterator[None]:
        if epsilon is None:
            yield
            return
        self._batch_gradients.clear()  # of no use once a parameter was written to
        with moved(self.parameters, list(epsilon)):
            yield

    def _loss_and_gradient(self) -> tuple[float, list[Tensor]]:
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

    def loss_at(self, epsilon: Sequence[Tensor] | None = None) -> float:
        """L(w + ε), or L(w); the parameters come back bit for bit."""
        total = torch.zeros((), dtype=torch.float64, device=self.parameters[0].device)
        with torch.no_grad(), self._at(epsilon):
            for inputs, targets in self._data:
                total += len(inputs) / self.examples * self._loss(self._model(inputs), targets)
        return float(total)

    def example_losses(self, epsilon: Sequence[Tensor] | None = None) -> Tensor:
        """ℓ(f_{w + ε}(x_i), y_i) of each example, (n,) float64, in the order of the data."""
        found = []
        with torch.no_grad(), self._at(epsilon):
            for inputs, targets in self._data:
                found.append(example_losses(self._loss, self._model(inputs), targets).double())
        return torch.cat(found)

    def outputs(self, epsilon: Sequence[Tensor] | None = None) -> tuple[Tensor, Tensor]:
        """f_{w + ε}(x_i) and y_i of all examples, in the order of the data; without a graph."""
        found = []
        with torch.no_grad(), self._at(epsilon):
            for inputs, targets in self._data:
                found.append((self._model(inputs), targets))
        outputs, targets = (torch.cat(column) for column in zip(*found, strict=True))
        return outputs, targets

    def output_losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """ℓ(f_i, y_i) of each of the given outputs, (n,), differentiable in them."""
        return example_losses(self._loss, outputs, targets)

    def subsets(self, m: int) -> Iterator[Problem]:
        """The mean losses over successive disjoint sets of m examples; the last has what is left.

        Raises:
            NotApplicable: a set of one example, with BatchNorm by batches.
        """
        if self.batch_norm == "batch" and (m == 1 or self.examples % m == 1):
            raise NotApplicable(
                "A set of one example has no statistics for BatchNorm; choose another m or number of examples, or "
                "another batch_norm mode."
            )
        inputs, targets = (torch.cat(column) for column in zip(*self._data, strict=True))
        for start in range(0, self.examples, m):
            chosen = slice(start, start + m)
            yield self._with(self._loss, [(inputs[chosen], targets[chosen])])

    def with_loss(self, transform: Callable[[Loss], Loss]) -> Problem:
        """The same model and examples with a loss made from this one."""
        return self._with(transform(self._loss), self._data)

    def _with(self, loss: Loss, data: Batches) -> Problem:
        return Problem(self._model, loss, data, self.seed, batch_norm=self.batch_norm, stability=self.stability)

    def generator(self, purpose: str) -> torch.Generator:
        """A generator on the CPU, so that draws are the same on every device: a function of the seed and a purpose."""
        digest = hashlib.sha256(f"{self.seed} {purpose}".encode()).digest()
        return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)

    def normal(self, generator: torch.Generator) -> list[Tensor]:
        """Standard normal numbers, shaped like the parameters, on their device."""
        return [torch.randn(p.shape, generator=generator, dtype=p.dtype).to(p.device) for p in self.parameters]

    def cached(self, key: str, compute: Callable[[], T]) -> T:
        """The result of `compute()`, computed once for all measures that ask by the same key."""
        if key not in self._cache:
            self._cache[key] = compute()
        return cast(T, self._cache[key])

    def hessian_times(self, vector: Tensor) -> Tensor:
        """∇²L(w) v for a flat v, by differentiating ⟨∇L(w), v⟩ (Pearlmutter, 1994).

        Fused attention has no second derivative, so it is replaced by its plain form.
        """
        self.products += 1
        directions = self.unflatten(vector)
        product = torch.zeros_like(vector)
        for number, (inputs, _) in enumerate(self._data):
            with sdpa_kernel(SDPBackend.MATH):
                gradient, is_kept = self._batch_gradients.gradient(number)
                curved = [pair for pair in zip(gradient, directions, strict=True) if pair[0].requires_grad]
                if not curved:  # a loss that is linear in the parameters, or does not depend on them
                    continue
                second = torch.autograd.grad(
                    [g for g, _ in curved],
                    self.parameters,
                    [d for _, d in curved],
                    retain_graph=is_kept,
                    allow_unused=True,
                    materialize_grads=True,
                )
            product.add_(torch.cat([part.reshape(-1) for part in second]), alpha=len(inputs) / self.examples)
        return product

    def gauss_newton_times(self, vector: Tensor) -> Tensor:
        """Jᵀ (∂²ℓ/∂f²) J v for a flat v, J the derivative of the outputs f by the parameters, averaged over batches.

        J v is the derivative of ⟨Jᵀu, v⟩ by u, so that whatever has a Hessian product has this one too. Forward-mode
        differentiation would be faster, but recurrent networks and some fused layers do not have it.
        """
        self.products += 1
        direction = self.unflatten(vector)
        product = torch.zeros_like(vector)
        for inputs, targets in self._data:
            with sdpa_kernel(SDPBackend.MATH):
                outputs = self._model(inputs)
                leaf = outputs.detach().requires_grad_()
                loss = self._loss(leaf, targets)
                if not (outputs.requires_grad and loss.requires_grad):
                    continue
                output_gradient = torch.autograd.grad(loss, leaf, create_graph=True)[0]
                if not output_gradient.requires_grad:  # a loss linear in the outputs
                    continue
                covector = torch.zeros_like(outputs, requires_grad=True)
                pulled = torch.autograd.grad(
                    outputs, self.parameters, covector, create_graph=True, allow_unused=True, materialize_grads=True
                )
                inner = torch.stack([(g * d).sum() for g, d in zip(pulled, direction, strict=True)]).sum()
                tangent = torch.autograd.grad(inner, covector)[0]
                bent = torch.autograd.grad(output_gradient, leaf, tangent)[0]
                parts = torch.autograd.grad(outputs, self.parameters, bent, allow_unused=True, materialize_grads=True)
            product.add_(torch.cat([part.reshape(-1) for part in parts]), alpha=len(inputs) / self.examples)
        return product

    def unflatten(self, vector: Tensor) -> list[Tensor]:
        """A flat vector in the shapes of the parameters."""
        pieces = torch.split(vector, [parameter.numel() for parameter in self.parameters])
        return [piece.view(parameter.shape) for piece, parameter in zip(pieces, self.parameters, strict=True)]
