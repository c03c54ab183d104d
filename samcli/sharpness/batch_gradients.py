"""The gradients of batches as functions of the parameters, kept between products where memory allows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from samcli.errors import NotApplicable
from samcli.examples import Pair, count, take
from samcli.losses import Loss, check_flat, checked

KEEP_BYTES = 2**30


class BatchGradients:
    """∇L_b(w) of each batch b, differentiable once more.

    To compute it is a quarter to a half of the work of a Hessian-vector product. It is the same in all products until a
    parameter is written to, so the graphs of the first batches are kept, up to a gibibyte in all; the memory is
    estimated from what the graph of two examples saves.

    Args:
        model: from inputs to outputs.
        loss: of outputs and targets of a batch.
        parameters: w.
        data: (input, target) batches.

    >>> model = nn.Linear(1, 1, bias=False)
    >>> batch = (torch.ones(2, 1), model.weight.detach().expand(2, 1) - 3.0)
    >>> gradients = BatchGradients(model, nn.functional.mse_loss, [model.weight], [batch])
    >>> gradient, is_kept = gradients.gradient(0)
    >>> round(gradient[0].item(), 3), gradient[0].requires_grad, is_kept
    (6.0, True, True)
    """

    def __init__(
        self,
        model: nn.Module,
        loss: Loss,
        parameters: Sequence[Tensor],
        data: Sequence[Pair],
    ) -> None:
        self._model, self._loss, self._parameters, self._data = model, loss, parameters, data
        self._bytes_per_example: int | None = None
        self._kept: dict[int, list[Tensor]] = {}
        self._versions: list[int] = []

    def clear(self) -> None:
        """Forget the graphs, which hold memory."""
        self._kept.clear()

    def gradient(self, number: int) -> tuple[list[Tensor], bool]:
        """The gradient of a batch, one tensor for each parameter, and whether its graph is kept, so must be retained.

        Args:
            number: of the batch, from 0.
        """
        versions = [parameter._version for parameter in self._parameters]
        if versions != self._versions:
            self.clear()
            self._versions = versions
        if number in self._kept:
            return self._kept[number], True
        gradient = self._compute(*self._data[number])
        examples = sum(count(*self._data[kept]) for kept in (*self._kept, number))
        if examples * self._size_of_an_example() > KEEP_BYTES:
            return gradient, False
        self._kept[number] = gradient
        return gradient, True

    def _compute(self, inputs: Any, targets: Any) -> list[Tensor]:
        outputs = self._model(inputs)
        loss = checked(self._loss(outputs, targets))
        if not loss.requires_grad:  # it does not depend on the parameters
            check_flat(self._loss, outputs, targets)
            return [torch.zeros_like(parameter) for parameter in self._parameters]
        gradient = torch.autograd.grad(
            loss, self._parameters, create_graph=True, allow_unused=True, materialize_grads=True
        )
        return dense(gradient)

    def _size_of_an_example(self) -> int:
        """The bytes that the graph of one example saves, the parameters not among them."""
        if self._bytes_per_example is None:
            few = take(self._data[0], slice(0, 2))  # BatchNorm takes no variance of one
            saved: dict[int, int] = {}
            known = {parameter.data_ptr() for parameter in self._parameters}

            def note(tensor: Tensor) -> Tensor:
                if tensor.data_ptr() not in known:
                    storage = tensor.untyped_storage()
                    saved[storage.data_ptr()] = storage.nbytes()
                return tensor

            with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
                graph = self._compute(*few)
            self._bytes_per_example = sum(saved.values()) // count(*few)
            del graph
        return self._bytes_per_example


def dense(gradient: Sequence[Tensor]) -> list[Tensor]:
    """A gradient, if it is one that sharpness can be measured along.

    Raises:
        NotApplicable: a part of it is sparse, which has no second derivative.

    >>> dense([torch.ones(2)])
    [tensor([1., 1.])]
    """
    if any(part.is_sparse for part in gradient):
        raise NotApplicable(
            "The gradient of an embedding is sparse, which has no second derivative; set its attribute sparse to False "
            "while sharpness is measured."
        )
    return list(gradient)
