"""A recorder that needs no GPU: what a CUDA graph would do, with the operations of the CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

aten = torch.ops.aten


class Waits(RuntimeError):
    """The host asked for a value that the device has yet to compute."""


class Tape(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """The operations below autograd, with the very tensors that they read and wrote.

    `play` repeats each operation on its tensors, and copies what it returns to where it was returned at first, so
    that later operations find it there: as with a CUDA graph, addresses and numbers are those of the recording. An
    operation that hands a value to the host, or draws a random number, ends the recording.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._before: dict[int, tuple[torch.UntypedStorage, torch.UntypedStorage]] = {}
        self.operations: list[tuple[Any, tuple[Any, ...], dict[str, Any], list[Tensor]]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in (aten._local_scalar_dense.default, aten.nonzero.default, aten.equal.default):
            raise Waits(f"{func} waits for the device")
        if torch.Tag.nondeterministic_seeded in func.tags:
            raise Waits(f"{func} draws a random number")
        for x in tree_leaves((args, kwargs)):
            if isinstance(x, Tensor) and x.untyped_storage()._cdata not in self._before:
                storage = x.untyped_storage()
                self._before[storage._cdata] = (storage, storage.clone())  # type: ignore[no-untyped-call]
        found = func(*args, **kwargs)
        self.operations.append((func, args, kwargs, [x for x in tree_leaves(found) if isinstance(x, Tensor)]))
        return found

    def undo(self) -> None:
        """Give every tensor the values it had before; a recording has no effect."""
        for storage, before in self._before.values():
            storage.copy_(before)
        self._before.clear()

    def play(self) -> None:
        """Repeat the operations that were recorded."""
        with torch.no_grad():
            for func, args, kwargs, results in self.operations:
                again = [x for x in tree_leaves(func(*args, **kwargs)) if isinstance(x, Tensor)]
                for result, new in zip(results, again, strict=True):
                    if result.data_ptr() != new.data_ptr():
                        result.copy_(new)


def record(function: Callable[[], Any]) -> tuple[Any, Callable[[], None]]:
    """A recorder for `Replayed`, to find out on the CPU whether steps can be replayed; it makes nothing faster.

    >>> model = torch.nn.Linear(2, 1)
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, fused=True)
    >>> def step(inputs):
    ...     optimizer.zero_grad()
    ...     model(inputs).square().mean().backward()
    ...     optimizer.step()
    >>> from samcli.optim.replay import Replayed
    >>> replayed = Replayed(step, optimizer, torch.device("cpu"), record)
    >>> for _ in range(10):
    ...     replayed(torch.ones(4, 2))
    >>> replayed.replays
    6
    """
    tape = Tape()
    try:
        with tape:
            returned = function()
    finally:
        tape.undo()
    return returned, tape.play
