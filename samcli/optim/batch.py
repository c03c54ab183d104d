"""A closure that knows its batch, for rules that look at parts of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map

from samcli.errors import ExamplesError, LossError, OptionError
from samcli.examples import count, joined, take
from samcli.losses import Loss, MeanLoss, check_mean, checked, may_broadcast, mean_loss
from samcli.optim.means import StepMeans
from samcli.optim.ranks import Ranks
from samcli.weights.state import untouched

# How many steps passed that could be looked at, of each loss, by the model that it was tried with.
_STEPS: WeakKeyDictionary[nn.Module, dict[object, int]] = WeakKeyDictionary()

# From the outputs of some examples of a batch, and their positions in it, the mean of their penalties.
Penalty = Callable[[Any, slice], Tensor]


class Batch:
    """The closure of one batch: clears the gradients, runs forward and backward, returns the mean loss.

    Any callable that does this can be given to `SharpnessAware.step`. Micro-batch perturbation (`m`), and the rules
    that choose among examples or remember them, need to know the examples; give them a `Batch`.

    Inputs, targets and outputs may be in any structure, see `samcli.examples`. Where a batch is passed in parts, by
    `accumulate`, `m` or `ascent_fraction`, these count by what the loss divides by: the number of examples, or the
    denominator of a `samcli.losses.MeanLoss`. Any other loss is looked at in the steps 1, 2, 4, 8, ... of a model, when
    the host waits, and refused before that step changes anything if it is no mean over examples.

    >>> model = nn.Linear(2, 3)
    >>> batch = Batch(model, nn.functional.cross_entropy, torch.randn(8, 2), torch.randint(3, (8,)))
    >>> [len(part) for part in batch.parts(3)]
    [3, 3, 2]

    Args:
        model: from inputs to outputs.
        loss: of outputs and targets, the mean over a batch.
        inputs: (B, ...), in any structure.
        targets: (B, ...), in any structure.
        indices: (B,), the position of each example in the data set; for rules that remember examples.
        population: the number of examples in the data set; None leaves it to such rules to find out, who then wait for
            the device at each step.
        accumulate: in how many pieces a pass goes through the model, one after the other, to save memory. The gradient
            is that of the whole batch, up to what BatchNorm makes of smaller pieces.
        precision: entered around each forward pass: `torch.autocast(...)`, or nothing.
        scale: multiplies the loss before the backward pass: `GradScaler.scale`.
        ranks: the processes that share each pass, all of which are given the same batch; None for this one alone.
        training_set: gives the inputs and targets of the whole training set, batch by batch; for rules that climb for
            all of it. None where the batch is all that there is.

    Raises:
        ExamplesError: inputs and targets are not by examples, or of none.
    """

    def __init__(
        self,
        model: nn.Module,
        loss: Loss,
        inputs: Any,
        targets: Any,
        *,
        indices: Tensor | None = None,
        population: int | None = None,
        accumulate: int = 1,
        precision: Callable[[], AbstractContextManager[object]] = nullcontext,
        scale: Callable[[Tensor], Tensor] | None = None,
        ranks: Ranks | None = None,
        training_set: Callable[[], Iterable[tuple[Any, Any]]] | None = None,
    ) -> None:
        self.model, self.loss = model, loss
        self._training_set = training_set
        self.inputs, self.targets, self.indices = inputs, targets, indices
        self._examples = count(inputs, targets)
        if not self._examples:
            raise ExamplesError("A batch holds no examples, so its loss has no mean; leave empty batches out.")
        if indices is not None and len(indices) != self._examples:
            raise ExamplesError(f"A batch of {self._examples} examples has {len(indices)} indices; give one for each.")
        if not isinstance(accumulate, int) or accumulate < 1:
            raise OptionError(f"accumulate must be a whole number at least 1, not {accumulate!r}.")
        self.population = population
        self._evaluated = 0
        self._forwarded = 0
        self._accumulate = accumulate
        self._precision = precision
        self._scale = scale
        self.ranks = ranks
        self._whole: Batch | None = None  # not itself: a cycle would keep the tensors until the collector runs
        self._part_of: Batch | None = None
        self._penalty: Penalty | None = None
        self._is_parted = ranks is not None  # whether passes see parts of it, whose results are added up
        self._first: list[tuple[Any, Any]] = []  # outputs and targets of the first pass here, by pieces
        self._gathered: tuple[Any, Any] | None = None  # of all ranks, once they are asked for
        self._is_counted = False  # whether the loss was looked at, or passed by, after that pass

    @property
    def output(self) -> Any:
        """The output of the first pass, at the weights where that pass ran; None before it.

        With micro-batches it is put together from the first pass of each. A first pass may leave examples out, see
        `output_targets`. Where ranks share the batch, all of them have to ask for it.
        """
        return self._first_pass()[0]

    @output.setter
    def output(self, output: Any) -> None:
        self._first = [] if output is None else [(output, self.targets)]
        self._gathered = None
        self._is_counted = False

    @property
    def output_targets(self) -> Any:
        """The targets that belong to `output`."""
        return self._first_pass()[1]

    @property
    def here(self) -> tuple[Any, Any]:
        """The outputs and targets of the examples that this process passed first: of `output` its share."""
        if len(self._first) > 1:
            outputs, targets = zip(*self._first, strict=True)
            self._first = [(joined(outputs), joined(targets))]
        return self._first[0] if self._first else (None, take(self.targets, slice(0, 0)))

    def _first_pass(self) -> tuple[Any, Any]:
        if self.ranks is None or not self._first:
            return self.here
        if self._gathered is None:
            outputs, targets = self.here
            self._gathered = self.ranks.gather((outputs, targets), count(targets, targets))
        return self._gathered

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
        return self._examples

    @property
    def weight(self) -> float | Tensor:
        """What this batch counts by as a part of another: its examples, or the denominator of its loss."""
        known = mean_loss(self.loss)
        return len(self) if known is None else known.denominator(self.targets)

    @property
    def device(self) -> torch.device:
        """The device of the targets."""
        leaf: Tensor = next(leaf for leaf in tree_leaves(self.targets) if isinstance(leaf, Tensor))
        return leaf.device

    def __call__(self) -> Tensor:
        """Run one pass, and return the mean loss: detached, and without a penalty."""
        self.model.zero_grad()
        total = torch.zeros((), device=self.device)
        seen: list[tuple[Any, Any]] = []
        pieces = self._pieces()
        is_part = self._part_of is not None and len(self) < len(self._part_of)
        known = mean_loss(self.loss) if is_part or self._is_cut(pieces) else None
        denominator = torch.as_tensor(known.denominator(self.targets) if known else 1.0)
        if is_part:  # one of which no example counts adds nothing
            denominator = denominator.masked_fill(denominator == 0, 1)
        with nullcontext() if self.ranks is None else self.ranks.passing(self.model, len(self)):
            for part in pieces:
                share = len(range(len(self))[part]) / len(self)
                inputs, targets = (
                    (self.inputs, self.targets) if not self._is_cut(pieces) else take((self.inputs, self.targets), part)
                )
                with self._precision():
                    output = self.model(inputs)
                    penalty = 0.0 if self._penalty is None else self._penalty(output, part)
                    if known is None:
                        mean = checked(self.loss(output, targets))
                        loss, objective = mean.detach() * share, (mean + penalty if self._penalty else mean) * share
                    else:
                        objective = checked(known.total(output, targets)) / denominator
                        loss, objective = objective.detach(), objective + penalty * share
                if not objective.requires_grad:
                    raise LossError(
                        "The loss has no gradient: it is detached, or no parameter that requires one has a part in it."
                    )
                torch.autograd.backward(self._scale(objective) if self._scale else objective)
                total = total + loss
                seen.append((_detached(output), targets))
        if self.ranks is not None:
            total = self.ranks.sum_pass(self.model, total, len(self))
            if not self.ranks.counts(len(self)):
                seen = [take(pair, slice(0, 0)) for pair in seen]
        if not self._first:  # the passes that follow are elsewhere
            self._record(seen)
            self._is_parted = self._is_parted or self._is_cut(pieces)
            if self._part_of is None:
                self.check_loss()
        self.count(len(self))
        return total

    def _pieces(self) -> list[slice]:
        """The positions of the examples that go through the model together."""
        if self.ranks is not None:
            return self.ranks.pieces(len(self), self._accumulate)
        size = math.ceil(len(self) / self._accumulate)
        return [slice(start, min(start + size, len(self))) for start in range(0, len(self), size)]

    def _is_cut(self, pieces: list[slice]) -> bool:
        return pieces != [slice(0, len(self))]

    def check_loss(self) -> None:
        """Refuse a loss that is no mean over examples, if parts are added up or outputs and targets differ in shape.

        It is tried on the outputs of the first pass, ever more seldom for each model and loss: a batch may hold nothing
        that tells, such as one class alone where classes have weights. Where outputs do not have examples first, as the
        state of a recurrent network, the model is passed again, in evaluation mode.

        Raises:
            LossError: see `samcli.losses.check_mean`.
        """
        if not self._first or self._is_counted:
            return
        if not (self._is_parted or may_broadcast(self.output, self.output_targets)):
            return
        self._is_counted = True
        known, loss = _STEPS.setdefault(self.model, {}), _identity(self.loss)
        step = known.get(loss, 0) + 1
        is_recorded = self.device.type == "cuda" and torch.cuda.is_current_stream_capturing()  # nothing can wait
        if step & (step - 1) or is_recorded:  # no power of two
            known[loss] = step
            return
        try:
            count(self.output, self.output_targets, "outputs")
        except ExamplesError:
            with untouched(self.model):
                check_mean(lambda inputs, targets: self.loss(self.model(inputs), targets), self.inputs, self.targets)
        else:
            with self._precision():
                check_mean(self.loss, self.output, self.output_targets)
        known[loss] = step  # after the look, so that a loss that was refused is refused again

    def _record(self, seen: list[tuple[Any, Any]]) -> None:
        self._first.extend(seen)
        self._gathered = None
        if self._part_of is not None:
            self._part_of._record(seen)

    def select(self, index: Tensor | slice) -> Batch:
        """The closure of some of the examples; its passes count as passes of this batch."""
        part = Batch(
            self.model,
            self.loss,
            take(self.inputs, index),
            take(self.targets, index),
            indices=None if self.indices is None else self.indices[index],
            population=self.population,
            precision=self._precision,
            scale=self._scale,
            ranks=self.ranks,
            training_set=self._training_set,
        )
        part._whole = self._whole or self
        return part

    def of_training_set(self) -> Iterator[Batch]:
        """The closures of the whole training set, batch by batch, whose passes count as passes of this batch."""
        assert self._training_set is not None
        for inputs, targets in self._training_set():
            part = Batch(
                self.model,
                self.loss,
                inputs,
                targets,
                accumulate=self._accumulate,
                precision=self._precision,
                scale=self._scale,
                ranks=self.ranks,
            )
            part._whole = self._whole or self
            yield part

    @property
    def knows_training_set(self) -> bool:
        """Whether it can give the whole training set, see `of_training_set`."""
        return self._training_set is not None

    def share(self, part: slice, dtype: torch.dtype | None = None) -> Batch:
        """The closure of some of the examples, whose first pass gives this batch its `output` too.

        Args:
            part: the positions of the examples.
            dtype: of autocast in its forward passes; None leaves them as they are here.
        """
        share = self.select(part)
        share._part_of = self
        self._is_parted = self._is_parted or len(share) < len(self)
        share._accumulate = math.ceil(self._accumulate * len(share) / len(self))
        if dtype is not None:
            share._precision = partial(torch.autocast, self.device.type, dtype)
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

    def takes_apart(self, parts: Sequence[Batch]) -> bool:
        """Whether each rank passes some of these parts by itself, as they are then prepared to be.

        Not with a synchronised BatchNorm, nor where there are fewer parts than ranks: then all ranks share each.
        """
        ranks = self.ranks
        if ranks is None or ranks.sync_batch_norm or len(parts) < ranks.size:
            return False
        for part in parts:
            part.ranks = None
        return True

    def sum_parts(self, means: StepMeans, loss: Tensor, norm: Tensor, finite: bool) -> tuple[Tensor, Tensor, bool]:
        """Sum what the ranks found in parts that they passed apart, see `Ranks.sum_parts`."""
        assert self.ranks is not None
        loss, norm, finite, self._evaluated = self.ranks.sum_parts(means, loss, norm, finite, self._evaluated)
        self.ranks.average_running(self.model, count(self.here[1], self.here[1]) / len(self))
        return loss, norm, finite

    @torch.no_grad()
    def outputs(self, model: nn.Module | None = None) -> Any:
        """The outputs, (B, ...), of a forward pass without gradient, through another model if one is given."""
        mine = slice(0, len(self)) if self.ranks is None else self.ranks.part_of(len(self))
        with self._precision():
            output = (model or self.model)(take(self.inputs, mine) if self._is_cut([mine]) else self.inputs)
        (self._whole or self)._forwarded += len(self)
        if self.ranks is None:
            return output
        kept = mine if self.ranks.counts(len(self)) else slice(0, 0)
        return self.ranks.gather(take(output, slice(0, kept.stop - kept.start)), kept.stop - kept.start)


def _detached(output: Any) -> Any:
    if isinstance(output, Tensor):
        return output.detach()
    return tree_map(lambda leaf: leaf.detach() if isinstance(leaf, Tensor) else leaf, output)


def _identity(loss: Loss) -> object:
    """What stays the same of a loss that is written anew for each batch: its code and its settings."""
    if isinstance(loss, MeanLoss):
        return _identity(loss.total), _identity(loss.denominator)  # type: ignore[arg-type]
    if isinstance(loss, partial):
        return _identity(loss.func), _settings(dict(enumerate(loss.args)) | loss.keywords)
    function: Any = getattr(loss, "__func__", loss)
    return getattr(function, "__code__", None) or (type(function), _settings(getattr(function, "__dict__", {})))


def _settings(values: dict[Any, Any]) -> frozenset[tuple[Any, Any]]:
    """Names and plain values, and of anything else its type."""
    plain = (bool, int, float, str)
    return frozenset((name, value if isinstance(value, plain) else type(value)) for name, value in values.items())
