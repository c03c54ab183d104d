"""A further pass over the same batch must see the same network: same random draws, same running statistics."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


class RandomState:
    """The global random generators of the CPU and of one accelerator, at the time of construction.

    The accelerator's cannot be put back while a graph is recorded; what is recorded must not draw from it.
    """

    def __init__(self, device: torch.device) -> None:
        reachable = device.type == "cuda" and not torch.cuda.is_current_stream_capturing()
        self._cuda = device if reachable else None
        self._mps_state = torch.mps.get_rng_state() if device.type == "mps" else None
        self._host_state = torch.get_rng_state()
        self._cuda_state = torch.cuda.get_rng_state(self._cuda) if self._cuda else None

    def restore(self) -> None:
        """Put the generators back to this state."""
        torch.set_rng_state(self._host_state)
        if self._cuda and self._cuda_state is not None:
            torch.cuda.set_rng_state(self._cuda_state, self._cuda)
        if self._mps_state is not None:
            torch.mps.set_rng_state(self._mps_state)


@contextmanager
def same_draws(start: RandomState, device: torch.device) -> Iterator[None]:
    """Draw the same dropout masks as a pass that began at `start`; afterwards the generators stand where they stood.

    >>> start, mask = RandomState(torch.device("cpu")), torch.rand(3)
    >>> with same_draws(start, torch.device("cpu")):
    ...     torch.equal(torch.rand(3), mask)
    True
    """
    now = RandomState(device)
    start.restore()
    try:
        yield
    finally:
        now.restore()


@contextmanager
def buffers_untouched(model: nn.Module) -> Iterator[None]:
    """Give every buffer its value back, so that running statistics count a batch once.

    Copying all buffers covers any normalisation layer, also a user's own, and costs less than switching each layer off
    and on: two multi-tensor copies.

    >>> norm = nn.BatchNorm1d(2)
    >>> with buffers_untouched(norm):
    ...     _ = norm(torch.ones(4, 2))
    >>> norm.running_mean
    tensor([0., 0.])
    """
    owners = [(module, name, buffer) for module in model.modules() for name, buffer in module._buffers.items()]
    buffers = [buffer for _, _, buffer in owners if buffer is not None]
    saved = [buffer.clone() for buffer in buffers]
    try:
        yield
    finally:
        for module, name, buffer in owners:
            module._buffers[name] = buffer  # a layer may have put a new tensor there
        if buffers:
            with torch.no_grad():
                torch._foreach_copy_(buffers, saved)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Within the block the model is in evaluation mode; afterwards each module is in the mode it was in.

    >>> model = nn.Sequential(nn.Linear(2, 2), nn.Dropout().eval())
    >>> with evaluating(model):
    ...     [module.training for module in model]
    [False, False]
    >>> [module.training for module in model]
    [True, False]
    """
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
