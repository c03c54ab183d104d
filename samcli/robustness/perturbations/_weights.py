"""Networks with other weights for the time of a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from samcli.errors import NotApplicable


def matrices(model: nn.Module) -> list[Tensor]:
    """The weights of layers: parameters of two dimensions or more, each once. Biases and scales of norms are none.

    Raises:
        NotApplicable: there are none.

    >>> [tuple(weight.shape) for weight in matrices(nn.Linear(3, 2))]
    [(2, 3)]
    """
    found: list[Tensor] = [parameter for parameter in model.parameters() if parameter.dim() > 1]
    if not found:
        raise NotApplicable("it changes the weights of layers, and this network has none")
    return found


@contextmanager
def replaced(weights: Sequence[Tensor], change: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Within the block each weight is what `change` makes of it; afterwards all are what they were, bit for bit.

    >>> layer = nn.Linear(1, 1, bias=False)
    >>> before = layer.weight.item()
    >>> with replaced([layer.weight], torch.zeros_like):
    ...     layer.weight.item()
    0.0
    >>> layer.weight.item() == before
    True
    """
    saved = [weight.detach().clone() for weight in weights]
    try:
        with torch.no_grad():
            for weight, old in zip(weights, saved, strict=True):
                weight.copy_(change(old))
        yield
    finally:
        with torch.no_grad():
            for weight, old in zip(weights, saved, strict=True):
                weight.copy_(old)
