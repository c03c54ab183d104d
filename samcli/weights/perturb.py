"""Moving parameters away from the weights, and back to them bit for bit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Sparse:
    """A perturbation of some elements of a parameter; only these are copied and written.

    Attributes:
        index: (k,) int64, positions in the order of memory, see `in_memory_order`.
        values: (k,), what is added there.
    """

    index: Tensor
    values: Tensor


Epsilon = Tensor | Sparse | None


def in_memory_order(tensor: Tensor, parameter: Tensor | None = None) -> Tensor:
    """A tensor as a vector, in the order in which the elements of a parameter lie in memory.

    It is a view if the tensor lies as the parameter does and without gaps, otherwise a copy.

    >>> in_memory_order(torch.tensor([[1, 2], [3, 4]]).T)
    tensor([1, 2, 3, 4])

    Args:
        tensor: of the parameter's shape.
        parameter: whose order it is; the tensor itself if left out.
    """
    return _by_stride(tensor, tensor if parameter is None else parameter).reshape(-1)


def _by_stride(tensor: Tensor, parameter: Tensor) -> Tensor:
    """A view with the dimensions of a tensor sorted by the strides of a parameter, the widest first."""
    return tensor.permute(sorted(range(tensor.dim()), key=parameter.stride, reverse=True))


def _lies_without_gaps(parameter: Tensor) -> bool:
    """Whether its elements make a vector without a copy; those of a slice such as weight[:, ::2] do not."""
    return _by_stride(parameter, parameter).is_contiguous()


def _dense(parameter: Tensor, epsilon: Sparse) -> Tensor:
    """The perturbation of a parameter with gaps as a whole tensor."""
    whole = torch.zeros_like(parameter)
    _by_stride(whole, parameter).put_(epsilon.index.long(), epsilon.values)
    return whole


@contextmanager
def moved(parameters: Sequence[Tensor], epsilon: list[Epsilon]) -> Iterator[None]:
    """Within the block the parameters stand at w + ε; None leaves a parameter where it is, without a copy of it.

    The list is emptied, so that ε does not occupy memory within the block. The weights come back from a copy: to
    subtract ε would leave rounding errors that add up, and that drift apart between processes.

    >>> weight, bias = torch.tensor([1.0, 2.0]), torch.tensor([3.0])
    >>> with moved([weight, bias], [torch.tensor([0.1, 0.2]), None]):
    ...     print(weight, bias)
    tensor([1.1000, 2.2000]) tensor([3.])
    >>> weight
    tensor([1., 2.])

    Args:
        parameters: changed within the block.
        epsilon: ε, one entry for each parameter and of its shape, or `Sparse` to move some of its elements.
    """
    for place, (p, e) in enumerate(zip(parameters, epsilon, strict=True)):
        if isinstance(e, Sparse) and not _lies_without_gaps(p):
            epsilon[place] = _dense(p.detach(), e)
    dense = [(p, e) for p, e in zip(parameters, epsilon, strict=True) if isinstance(e, Tensor)]
    sparse = [
        (in_memory_order(p.detach()), e.index, e.values)
        for p, e in zip(parameters, epsilon, strict=True)
        if isinstance(e, Sparse)
    ]
    epsilon.clear()
    weights, offsets = [p for p, _ in dense], [e for _, e in dense]
    saved = [p.clone() for p in weights]
    few = [flat[index] for flat, index, _ in sparse]
    del dense
    try:
        with torch.no_grad():
            if weights:
                torch._foreach_add_(weights, offsets)
            offsets.clear()
            for flat, index, values in sparse:
                flat.index_add_(0, index, values)
        yield
    finally:
        with torch.no_grad():
            if weights:
                torch._foreach_copy_(weights, saved)
            for (flat, index, _), values in zip(sparse, few, strict=True):
                flat[index] = values
