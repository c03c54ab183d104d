"""BatchNorm by the statistics of a batch that several processes share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

# Sums a tensor over the processes, in place.
Total = Callable[[Tensor], Tensor]


@contextmanager
def synchronised(model: nn.Module, total: Total) -> Iterator[None]:
    """Within the block each BatchNorm of a model in training mode normalises by the statistics of all processes.

    torch's SyncBatchNorm does so on GPUs alone, and is another module; here the model stays what it is. The backward
    pass, which sums as well, belongs into the block.

    >>> norm, plain = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    >>> x = torch.randn(8, 2)
    >>> with synchronised(norm, lambda tensor: tensor):  # of one process
    ...     torch.allclose(norm(x), plain(x), atol=1e-6), torch.allclose(norm.running_var, plain.running_var)
    (True, True)

    Args:
        model: the one that passes go through.
        total: sums a tensor over the processes.
    """
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    for norm in norms:
        norm.forward = partial(_forward, norm, total)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for norm in norms:
            del norm.forward


def _forward(norm: _BatchNorm, total: Total, x: Tensor) -> Tensor:
    if not norm.training and norm.running_mean is not None:
        return type(norm).forward(norm, x)
    norm._check_input_dim(x)  # type: ignore[no-untyped-call]
    values = x.to(torch.promote_types(x.dtype, torch.float32))
    others = [0, *range(2, x.dim())]
    shape = [1, -1, *[1] * (x.dim() - 2)]
    count = total(values.new_tensor(values.numel() / values.shape[1]))
    mean: Tensor = _Summed.apply(values.sum(others), total) / count
    centred = values - mean.view(shape)
    variance: Tensor = _Summed.apply(centred.square().sum(others), total) / count
    _update_running(norm, mean.detach(), variance.detach() * (count / (count - 1)))
    found = centred * torch.rsqrt(variance + norm.eps).view(shape)
    if norm.affine:
        found = found * norm.weight.view(shape) + norm.bias.view(shape)
    return found.to(x.dtype)


@torch.no_grad()
def _update_running(norm: _BatchNorm, mean: Tensor, variance: Tensor) -> None:
    if not norm.training or norm.running_mean is None or norm.running_var is None:
        return
    assert norm.num_batches_tracked is not None
    norm.num_batches_tracked.add_(1)
    share = 1.0 / float(norm.num_batches_tracked) if norm.momentum is None else norm.momentum
    norm.running_mean.lerp_(mean.to(norm.running_mean.dtype), share)
    norm.running_var.lerp_(variance.to(norm.running_var.dtype), share)


class _Summed(torch.autograd.Function):
    """The sum over the processes; the gradient of each of them reaches every summand."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor, total: Total) -> Tensor:
        ctx.total = total
        return total(tensor.clone())

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return ctx.total(gradients[0].clone()), None
