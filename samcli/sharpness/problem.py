"""The function whose sharpness is measured: the mean loss over all examples, as a function of the parameters."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from samcli.double import in_double, zero_in_double
from samcli.errors import LossError, NotApplicable
from samcli.examples import Pair, count, joined
from samcli.losses import Loss, MeanLoss, check_flat, check_mean, checked, example_losses, may_broadcast, mean_loss
from samcli.sharpness.batch_gradients import BatchGradients, dense
from samcli.sharpness.gauss_newton import gauss_newton_product
from samcli.sharpness.parts import Parts
from samcli.sharpness.stability import Stability
from samcli.weights.perturb import moved

T = TypeVar("T")
Batches = Iterable[Pair]

COARSEST = 1e-5  # the relative spacing of numbers by which losses can still be told apart; float32 has 1.2e-7


class Problem:
    """L(w) = (1/n) Σ ℓ(f_w(x_i), y_i) and its derivatives.

    A batch counts by its examples, n_b/n, or by its part of what the loss divides by, so values do not depend on how
    the examples are cut into batches, as long as BatchNorm's statistics do not. A loss that is no such mean is refused
    as soon as parts are added up, see `samcli.losses`.

    Args:
        model: in evaluation mode; its parameters with `requires_grad` are w.
        loss: `loss(output, target)`, the mean over a batch; a `MeanLoss` where that is not one over examples.
        data: (input, target) batches of any sizes; either may be any structure, see `samcli.examples`.
        seed: for the measures that draw random numbers.
        batch_norm: what BatchNorm's statistics are taken from, see `samcli.sharpness.batch_norm`; the model is in this
            mode.
        stability: the edge of the optimizer that the model was trained with, if it is known.

    Attributes:
        names, parameters: those of the model that are perturbed.
        examples: n.
        products: Hessian-vector products computed so far, by all measures.

    Raises:
        ExamplesError: no examples, or batches of another form.
        LossError: the loss is not a mean.
        NotApplicable: a complex parameter.
        ValueError: no parameters that require a gradient.

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
        self._model = model
        self.batch_norm, self.stability = batch_norm, stability
        self.seed = seed
        self.names, self.parameters = _parameters_of(model)
        self._parts = Parts.of(loss, data, self.parameters[0].device)
        self.examples, self.denominator = self._parts.examples, self._parts.denominator
        self.products = 0
        self._batch_gradients = BatchGradients(model, self._parts.loss, self.parameters, self._parts.data)
        self._cache: dict[str, object] = {}
        self._is_mean = False  # whether the loss is known to be a mean over examples

    @property
    def dtype(self) -> str:
        """The type of the parameters, as `float32`."""
        return str(self.parameters[0].dtype).removeprefix("torch.")

    @property
    def batch_size(self) -> int:
        """Examples in the largest batch, on which values do not depend unless BatchNorm looks at batches."""
        return max(count(*batch) for batch in self._parts.data)

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
        self._check_sum()
        total = zero_in_double(self.parameters[0].device)
        gradient = [torch.zeros_like(parameter) for parameter in self.parameters]
        for inputs, targets, share in self._parts:
            outputs = self._model(inputs)
            loss = self._loss_of(targets, outputs)
            total += in_double(share * loss.detach())
            if not loss.requires_grad:
                check_flat(self._parts.loss, outputs, targets)
            else:
                parts = torch.autograd.grad(loss, self.parameters, allow_unused=True, materialize_grads=True)
                torch._foreach_add_(gradient, dense(parts), alpha=share)
        return float(total), gradient

    def loss_at(self, epsilon: Sequence[Tensor] | None = None) -> float:
        """L(w + ε), or L(w); the parameters come back bit for bit.

        Raises:
            LossError: L(w + ε) is of a type whose few digits hide its difference from L(w).
        """
        self._check_sum()
        total = zero_in_double(self.parameters[0].device)
        with torch.no_grad(), self._at(epsilon):
            for inputs, targets, share in self._parts:
                loss = self._loss_of(targets, self._model(inputs))
                total += in_double(share * (loss if epsilon is None else _fine(loss)))
        return float(total)

    def example_losses(self, epsilon: Sequence[Tensor] | None = None) -> Tensor:
        """ℓ(f_{w + ε}(x_i), y_i) of each example, (n,) float64, in the order of the data; their mean is L(w + ε)."""
        self._check_sum()
        found = []
        with torch.no_grad(), self._at(epsilon):
            for inputs, targets, _ in self._parts:
                outputs = self._model(inputs)
                self._check_mean(outputs, targets)
                found.append(in_double(_fine(example_losses(self._parts.whole_loss, outputs, targets))))
        return torch.cat(found) * self._parts.of_examples()

    def outputs(self, epsilon: Sequence[Tensor] | None = None) -> tuple[Tensor, Tensor]:
        """f_{w + ε}(x_i) and y_i of all examples, in the order of the data; without a graph.

        Raises:
            NotApplicable: they are not one tensor each.
        """
        found = []
        with torch.no_grad(), self._at(epsilon):
            for inputs, targets, _ in self._parts:
                found.append((self._model(inputs), targets))
        outputs, targets = joined(found) or (None, None)
        if not (isinstance(outputs, Tensor) and isinstance(targets, Tensor) and len(outputs) == len(targets)):
            raise NotApplicable(
                "This measure looks at outputs: it needs one tensor of them and one of targets, with examples along "
                "the first dimension and equal shapes in all batches. Leave it out for this model."
            )
        return outputs, targets

    def output_losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """ℓ(f_i, y_i) of each of the given outputs, (n,), differentiable in them."""
        self._check_mean(outputs, targets)
        return example_losses(self._parts.whole_loss, outputs, targets) * self._parts.of_examples()

    def subsets(self, m: int) -> Iterator[Problem]:
        """The mean losses over successive disjoint sets of m examples; the last has what is left.

        A set of which no example counts for the loss is left out.

        Raises:
            NotApplicable: a set of one example, with BatchNorm by batches.
        """
        if self.batch_norm == "batch" and (m == 1 or self.examples % m == 1):
            raise NotApplicable(
                "A set of one example has no statistics for BatchNorm; choose another m or number of examples, or "
                "another batch_norm mode."
            )
        self._check_mean()
        known = mean_loss(self._parts.whole_loss)
        for batches in self._parts.subsets(m, whole=self.batch_norm == "batch"):
            if known is None or any(float(known.denominator(targets)) for _, targets in batches):
                yield self._with(self._parts.whole_loss, batches)

    def with_loss(self, transform: Callable[[Loss], Loss]) -> Problem:
        """The same model and examples with a loss made from this one."""
        known = mean_loss(self._parts.whole_loss)
        changed = (
            transform(self._parts.whole_loss) if known is None else MeanLoss(transform(known.total), known.denominator)
        )
        return self._with(changed, self._parts.data)

    def _with(self, loss: Loss, data: Batches) -> Problem:
        return Problem(self._model, loss, data, self.seed, batch_norm=self.batch_norm, stability=self.stability)

    def _check_mean(self, outputs: Any = None, targets: Any = None) -> None:
        """Refuse a loss that is not a mean over examples, by outputs that are known or else a forward pass of some."""
        if not self._is_mean:
            if outputs is not None:
                check_mean(self._parts.whole_loss, outputs, targets)
            else:
                self._parts.check(self._model, alone=self.batch_norm != "batch")
            self._is_mean = True

    def _check_sum(self) -> None:
        """Refuse such a loss before batches are added up."""
        if len(self._parts.data) > 1:
            self._check_mean()

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
        self._check_sum()
        if not self._is_mean and not self.products and self._parts.may_broadcast(self._model):
            self._check_mean()
        self.products += 1
        directions = self.unflatten(vector)
        product = torch.zeros_like(vector)
        for number, share in enumerate(self._parts.shares):
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
            product.add_(torch.cat([part.reshape(-1) for part in second]), alpha=share)
        return product

    def gauss_newton_times(self, vector: Tensor) -> Tensor:
        """Jᵀ (∂²ℓ/∂f²) J v for a flat v, J the derivative of the outputs f by the parameters, averaged over batches."""
        self._check_sum()
        self.products += 1
        direction = self.unflatten(vector)
        product = torch.zeros_like(vector)
        for inputs, targets, share in self._parts:
            with sdpa_kernel(SDPBackend.MATH):
                parts = gauss_newton_product(
                    self._model(inputs), partial(self._loss_of, targets), self.parameters, direction
                )
            if parts is not None:
                product.add_(torch.cat([part.reshape(-1) for part in parts]), alpha=share)
        return product

    def _loss_of(self, targets: Any, outputs: Any) -> Tensor:
        if may_broadcast(outputs, targets):
            self._check_mean(outputs, targets)
        return checked(self._parts.loss(outputs, targets))

    def unflatten(self, vector: Tensor) -> list[Tensor]:
        """A flat vector in the shapes of the parameters."""
        pieces = torch.split(vector, [parameter.numel() for parameter in self.parameters])
        return [piece.view(parameter.shape) for piece, parameter in zip(pieces, self.parameters, strict=True)]


def _fine(loss: Tensor) -> Tensor:
    """The loss, if it has the digits for a difference of two losses."""
    if torch.finfo(loss.dtype).eps > COARSEST:
        raise LossError(
            f"The loss is {loss.dtype}, whose few digits hide how it differs around the weights: compute it in "
            "float32, as by F.cross_entropy(output.float(), target)."
        )
    return loss


def _parameters_of(model: nn.Module) -> tuple[list[str], list[Tensor]]:
    """The names of what is perturbed, and the parameters."""
    named = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    if not named:
        raise ValueError("Sharpness is measured along parameters: none of the model requires a gradient.")
    for name, parameter in named.items():
        if parameter.is_complex():
            raise NotApplicable(
                f"The parameter {name} is complex, and sharpness is defined along real numbers: keep real and "
                "imaginary parts as two parameters and join them in the model by torch.complex."
            )
    return list(named), list(named.values())
