"""A closure that knows its batch, for rules that look at parts of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

Losses = Callable[[Tensor, Tensor], Tensor]


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
        accumulate: in how many pieces a pass goes through the model, one after the other, to save memory. The gradient
            is that of the whole batch, up to what BatchNorm makes of smaller pieces.
        precision: entered around each forward pass: `torch.autocast(...)`, or nothing.
        scale: multiplies the loss before the backward pass: `GradScaler.scale`.

    Attributes:
        evaluated: examples that went forward and backward so far.
        forwarded: examples that went forward without backward so far.
    """

    def __init__(
        self,
        model: nn.Module,
        loss: Losses,
        inputs: Tensor,
        targets: Tensor,
        *,
        indices: Tensor | None = None,
        accumulate: int = 1,
        precision: Callable[[], AbstractContextManager[object]] = nullcontext,
        scale: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        self.model, self.loss = model, loss
        self.inputs, self.targets, self.indices = inputs, targets, indices
        self.evaluated = 0
        self.forwarded = 0
        self._accumulate = accumulate
        self._precision = precision
        self._scale = scale
        self._whole = self
        self._part_of: Batch | None = None
        self._first_outputs: list[Tensor] = []

    @property
    def output(self) -> Tensor | None:
        """The output of the first pass, at the weights that pass ran at, (B, ...); None before it.

        Where micro-batches have their passes one after the other, it is that of each one's first pass.
        """
        if len(self._first_outputs) > 1:
            self._first_outputs = [torch.cat(self._first_outputs)]
        return self._first_outputs[0] if self._first_outputs else None

    @output.setter
    def output(self, output: Tensor | None) -> None:
        self._first_outputs = [] if output is None else [output]

    def __len__(self) -> int:
        return len(self.inputs)

    def __call__(self) -> Tensor:
        """One pass; the loss is detached."""
        self.model.zero_grad()
        total = torch.zeros((), device=self.inputs.device)
        outputs: list[Tensor] = []
        for inputs, targets in zip(
            self.inputs.chunk(self._accumulate), self.targets.chunk(self._accumulate), strict=True
        ):
            with self._precision():
                output = self.model(inputs)
                loss = self.objective(output, targets) * (len(inputs) / len(self))
            torch.autograd.backward(self._scale(loss) if self._scale else loss)
            total = total + loss.detach()
            outputs.append(output.detach())
        if not self._first_outputs:  # the passes that follow are elsewhere
            self._first_outputs = outputs
            if self._part_of is not None:
                self._part_of._first_outputs.extend(outputs)
        self._whole.evaluated += len(self)
        return total

    def objective(self, output: Tensor, targets: Tensor) -> Tensor:
        """What is differentiated: the loss."""
        return self.loss(output, targets)

    def select(self, index: Tensor | slice) -> Batch:
        """The closure of some of the examples; its passes count as passes of this batch."""
        part = Batch(
            self.model,
            self.loss,
            self.inputs[index],
            self.targets[index],
            indices=None if self.indices is None else self.indices[index],
            precision=self._precision,
            scale=self._scale,
        )
        part._whole = self._whole
        return part

    def parts(self, size: int) -> Iterator[Batch]:
        """Closures of successive parts of at most `size` examples."""
        for start in range(0, len(self), size):
            part = self.select(slice(start, start + size))
            part._part_of = self
            yield part

    @torch.no_grad()
    def outputs(self, model: nn.Module | None = None) -> Tensor:
        """A forward pass without gradient, through another model if one is given: (B, ...)."""
        with self._precision():
            output: Tensor = (model or self.model)(self.inputs)
        self._whole.forwarded += len(self)
        return output
