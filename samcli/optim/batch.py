"""A closure that knows its batch, for rules that look at parts of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial

import torch
from torch import Tensor, nn

# From the outputs and targets of some examples, the mean of their losses.
Losses = Callable[[Tensor, Tensor], Tensor]

# From the outputs of some examples of a batch, and their positions in it, the mean of their penalties.
Penalty = Callable[[Tensor, slice], Tensor]


class Batch:
    """The closure of one batch: clears the gradients, runs forward and backward, returns the mean loss.

    Any callable that does this can be given to `SharpnessAware.step`. Micro-batch perturbation (`m`), and the rules
    that choose among examples or remember them, need to know the examples; give them a `Batch`.

    >>> model = nn.Linear(2, 3)
    >>> batch = Batch(model, nn.functional.cross_entropy, torch.randn(8, 2), torch.randint(3, (8,)))
    >>> [len(part) for part in batch.parts(3)]
    [3, 3, 2]

    Args:
        model: from inputs to outputs.
        loss: of outputs and targets, the mean over a batch.
        inputs: (B, ...).
        targets: (B, ...).
        indices: (B,), the position of each example in the data set; for rules that remember examples.
        population: the number of examples in the data set; None leaves it to such rules to find out, who then wait for
            the device at each step.
        accumulate: in how many pieces a pass goes through the model, one after the other, to save memory. The gradient
            is that of the whole batch, up to what BatchNorm makes of smaller pieces.
        precision: entered around each forward pass: `torch.autocast(...)`, or nothing.
        scale: multiplies the loss before the backward pass: `GradScaler.scale`.
    """

    def __init__(
        self,
        model: nn.Module,
        loss: Losses,
        inputs: Tensor,
        targets: Tensor,
        *,
        indices: Tensor | None = None,
        population: int | None = None,
        accumulate: int = 1,
        precision: Callable[[], AbstractContextManager[object]] = nullcontext,
        scale: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        self.model, self.loss = model, loss
        self.inputs, self.targets, self.indices = inputs, targets, indices
        self.population = population
        self._evaluated = 0
        self._forwarded = 0
        self._accumulate = accumulate
        self._precision = precision
        self._scale = scale
        self._whole: Batch | None = None  # not itself: a cycle would keep the tensors until the collector runs
        self._part_of: Batch | None = None
        self._penalty: Penalty | None = None
        self._first: list[tuple[Tensor, Tensor]] = []  # outputs and targets of the first pass, by pieces

    @property
    def output(self) -> Tensor | None:
        """The output of the first pass, at the weights where that pass ran; None before it.

        With micro-batches it is put together from the first pass of each. A first pass may leave examples out, see
        `output_targets`.
        """
        self._join()
        return self._first[0][0] if self._first else None

    @output.setter
    def output(self, output: Tensor | None) -> None:
        self._first = [] if output is None else [(output, self.targets)]

    @property
    def output_targets(self) -> Tensor:
        """The targets that belong to `output`."""
        self._join()
        return self._first[0][1] if self._first else self.targets[:0]

    def _join(self) -> None:
        if len(self._first) > 1:
            outputs, targets = zip(*self._first, strict=True)
            self._first = [(torch.cat(outputs), torch.cat(targets))]

    @property
    def evaluated(self) -> int:
        """The number of examples that went forward and backward so far, through this batch and parts of it."""
        return self._evaluated

    def count(self, examples: int) -> None:
        """Add examples to those `evaluated`, here or by another process."""
        (self._whole or self)._evaluated += examples

    @property
    def forwarded(self) -> int:
        """The number of examples that went forward without backward so far."""
        return self._forwarded

    def __len__(self) -> int:
        return len(self.inputs)

    def __call__(self) -> Tensor:
        """Run one pass, and return the mean loss: detached, and without a penalty."""
        self.model.zero_grad()
        total = torch.zeros((), device=self.inputs.device)
        seen: list[tuple[Tensor, Tensor]] = []
        start = 0
        for inputs, targets in zip(
            self.inputs.chunk(self._accumulate), self.targets.chunk(self._accumulate), strict=True
        ):
            share = len(inputs) / len(self)
            with self._precision():
                output = self.model(inputs)
                loss = self.loss(output, targets)
                part = slice(start, start := start + len(inputs))
                objective = (loss if self._penalty is None else loss + self._penalty(output, part)) * share
            torch.autograd.backward(self._scale(objective) if self._scale else objective)
            total = total + (objective.detach() if self._penalty is None else loss.detach() * share)
            seen.append((output.detach(), targets))
        if not self._first:  # the passes that follow are elsewhere
            self._record(seen)
        self.count(len(self))
        return total

    def _record(self, seen: list[tuple[Tensor, Tensor]]) -> None:
        self._first.extend(seen)
        if self._part_of is not None:
            self._part_of._record(seen)

    def select(self, index: Tensor | slice) -> Batch:
        """The closure of some of the examples; its passes count as passes of this batch."""
        part = Batch(
            self.model,
            self.loss,
            self.inputs[index],
            self.targets[index],
            indices=None if self.indices is None else self.indices[index],
            population=self.population,
            precision=self._precision,
            scale=self._scale,
        )
        part._whole = self._whole or self
        return part

    def share(self, part: slice, dtype: torch.dtype | None = None) -> Batch:
        """The closure of some of the examples, whose first pass gives this batch its `output` too.

        Args:
            part: the positions of the examples.
            dtype: of autocast in its forward passes; None leaves them as they are here.
        """
        share = self.select(part)
        share._part_of = self
        share._accumulate = math.ceil(self._accumulate * len(share) / len(self))
        if dtype is not None:
            share._precision = partial(torch.autocast, self.inputs.device.type, dtype)
        return share

    def penalised(self, penalty: Penalty) -> Batch:
        """The closure of all the examples, whose gradient is that of the loss plus a penalty.

        Args:
            penalty: from the outputs of some of the examples, and their positions, the mean of their penalties.
        """
        penalised = self.share(slice(0, len(self)))
        penalised._penalty = penalty
        return penalised

    def parts(self, size: int) -> Iterator[Batch]:
        """Closures of successive parts of at most `size` examples."""
        for start in range(0, len(self), size):
            yield self.share(slice(start, start + size))

    @torch.no_grad()
    def outputs(self, model: nn.Module | None = None) -> Tensor:
        """The outputs, (B, ...), of a forward pass without gradient, through another model if one is given."""
        with self._precision():
            output: Tensor = (model or self.model)(self.inputs)
        (self._whole or self)._forwarded += len(self)
        return output
