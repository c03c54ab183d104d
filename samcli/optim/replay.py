"""Steps that repeat, recorded once and replayed: one launch in place of hundreds."""

from __future__ import annotations

import gc
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

import torch
from torch import Tensor
from torch.optim import Optimizer

from samcli.optim.engine import SharpnessAware

T = TypeVar("T")

# Runs before a step of some signature is recorded: in them libraries choose algorithms, and state is first kept.
WARM_UP = 3

# How many signatures are known at most before those are forgotten that were never recorded.
MOST_SIGNATURES = 64

# Runs a function without effect on the device; returns what it returned, and what has the effect.
Recorder = Callable[[Callable[[], Any]], tuple[Any, Callable[[], None]]]


@dataclass
class _Call:
    """Calls of one signature: how often one ran, and the recording of one, if there is any."""

    runs: int = 0
    inputs: tuple[Tensor, ...] = ()
    returned: Any = None
    replay: Callable[[], None] | None = None


class Replayed(Generic[T]):
    """A function that takes a step of an optimizer, recorded when it repeats and replayed from then on.

    A small network on a GPU waits for the host, which launches some 150 operations for each pass. A CUDA graph of the
    whole step, with its passes, perturbation, restoration and update, is a single launch. Steps are told apart by the
    shapes of their inputs, by the options of the parameter groups, and by what the host decides
    (`SharpnessAware.signature`); a step of each signature is recorded after three runs. The function cannot tell
    whether it runs or is recorded.

    What changes from call to call must be in the input tensors, or in tensors that the function changes in place. The
    learning rate is neither, so each parameter group has it as a tensor while the function runs. What the function
    does besides, to the model's mode or to plain numbers, is done once, when it is recorded. A recording is of the very
    tensors that it saw: after a state dictionary was loaded into model or optimizer, make a new object.

    Some calls always run: those whose signature the optimizer gives as None, such as steps of a rule that draws random
    numbers or waits for a result; those that draw from the global generators (dropout), which a recording could not put
    back for the second pass; the first step of a base optimizer, and each of one that is not `fused`, since that would
    wait for its learning rate; and all after a recording has failed.

    Args:
        function: takes tensors, and a step of the optimizer. What it returns is returned by each replay of the same
            signature: plain values, or tensors that the replay overwrites.
        optimizer: the one whose step the function takes.
        device: the one that the function runs on.
        recorder: records a call; CUDA graphs if left out.

    Attributes:
        failure: the reason why nothing is recorded any more; empty as long as no recording has failed.
        replays: the number of calls that were replayed.
    """

    def __init__(
        self,
        function: Callable[..., T],
        optimizer: Optimizer,
        device: torch.device,
        recorder: Recorder | None = None,
    ) -> None:
        self._function, self._optimizer, self._device = function, optimizer, device
        self._record = recorder or _cuda_graphs()
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None  # type: ignore[no-untyped-call]
        self._rates = [torch.zeros((), device=device) for _ in optimizer.param_groups]
        self._calls: dict[Hashable, _Call | None] = {}
        self.failure = ""
        self.replays = 0
        if isinstance(optimizer, SharpnessAware):
            optimizer.runs_ahead = True

    def __call__(self, *inputs: Tensor) -> T:
        """Run the function, or replay a recording of it."""
        if not all(group.get("fused") for group in self._optimizer.param_groups):
            return self._function(*inputs)
        with self._on_one_stream(), self._rates_on_device():
            key = self._key(inputs)
            call = self._call(key) if key is not None else None
            if call is None:
                return self._function(*inputs)
            if call.replay is not None:
                if isinstance(self._optimizer, SharpnessAware):
                    self._optimizer.note_replay()
            elif call.runs < WARM_UP or not self._recorded(call, inputs):
                return self._run(key, call, inputs)
            return self._replay(call, inputs)

    def _key(self, inputs: tuple[Tensor, ...]) -> Hashable | None:
        if not self._optimizer.state:
            return None
        decided: Hashable | None = ()
        if isinstance(self._optimizer, SharpnessAware):
            decided = self._optimizer.signature()
            if decided is None:
                return None
        groups = self._optimizer.param_groups
        options = [repr(v) for group in groups for k, v in group.items() if k not in ("params", "param_names", "lr")]
        return (decided, *options, *((x.shape, x.dtype) for x in inputs))

    def _call(self, key: Hashable) -> _Call | None:
        if key not in self._calls and len(self._calls) >= MOST_SIGNATURES:  # a radius that changes at each step, say
            self._calls = {k: call for k, call in self._calls.items() if call is not None and call.replay is not None}
        return self._calls.setdefault(key, _Call())

    def _run(self, key: Hashable, call: _Call, inputs: tuple[Tensor, ...]) -> T:
        before = self._random_state()
        returned = self._function(*inputs)
        call.runs += 1
        if not torch.equal(before, self._random_state()):
            self._calls[key] = None
        return returned

    def _random_state(self) -> Tensor:
        """The state of the global generator; a read on the host."""
        return torch.cuda.get_rng_state(self._device) if self._device.type == "cuda" else torch.get_rng_state()

    def _recorded(self, call: _Call, inputs: tuple[Tensor, ...]) -> bool:
        """Record a call unless that has failed before, and return whether it worked."""
        if self.failure:
            return False
        own = tuple(x.clone() for x in inputs)
        optimizer = self._optimizer
        noted = optimizer.host_state() if isinstance(optimizer, SharpnessAware) else None
        try:
            with self._capturable():
                call.returned, call.replay = self._record(lambda: self._function(*own))
        except RuntimeError as error:  # what an operation that cannot be recorded raises
            self.failure = str(error).partition("\n")[0] or type(error).__name__
            if isinstance(optimizer, SharpnessAware) and noted is not None:
                optimizer.restore_host_state(noted)
            return False
        call.inputs = own
        return True

    def _replay(self, call: _Call, inputs: tuple[Tensor, ...]) -> T:
        assert call.replay is not None
        for own, given in zip(call.inputs, inputs, strict=True):
            own.copy_(given)
        call.replay()
        self.replays += 1
        return cast(T, call.returned)

    @contextmanager
    def _on_one_stream(self) -> Iterator[None]:
        """A stream beside the default one, which cannot be recorded; autograd remembers where it ran first."""
        if self._stream is None:
            yield
            return
        outside = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(outside)
        with torch.cuda.stream(self._stream):
            yield
        outside.wait_stream(self._stream)

    @contextmanager
    def _rates_on_device(self) -> Iterator[None]:
        groups = self._optimizer.param_groups
        given = [group["lr"] for group in groups]
        for group, rate, value in zip(groups, self._rates, given, strict=True):
            group["lr"] = rate.fill_(value)
        try:
            yield
        finally:
            for group, value in zip(groups, given, strict=True):
                group["lr"] = value

    @contextmanager
    def _capturable(self) -> Iterator[None]:
        """Adam refuses to be recorded unless it is `capturable`, and warns if that is set while it runs."""
        groups = [group for group in self._optimizer.param_groups if "capturable" in group]
        given = [group["capturable"] for group in groups]
        for group in groups:
            group["capturable"] = True
        try:
            yield
        finally:
            for group, value in zip(groups, given, strict=True):
                group["capturable"] = value


def _cuda_graphs() -> Recorder:
    """A recorder of CUDA graphs, which share their memory: only one of them is replayed at a time."""
    pool = torch.cuda.graph_pool_handle()

    def record(function: Callable[[], Any]) -> tuple[Any, Callable[[], None]]:
        gc.collect()  # a pass on another stream that a reference cycle keeps would tie the gradients to that stream
        graph = torch.cuda.CUDAGraph()
        # what other threads do with the device meanwhile is no reason to fail
        with torch.cuda.graph(graph, pool, torch.cuda.current_stream(), capture_error_mode="thread_local"):
            returned = function()
        return returned, graph.replay

    return record
