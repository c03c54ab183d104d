"""Processes that share every batch: each passes its share of the examples, and sums make all of them one."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
import torch.distributed
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.utils._pytree import tree_leaves, tree_map

from samcli.errors import ConfigError
from samcli.optim.means import ByParameter, StepMeans
from samcli.optim.sync_batch_norm import synchronised
from samcli.weights.batch_norm import batch_norms


@dataclass(frozen=True)
class Ranks:
    """The processes of a group of torch.distributed, which all take every step with the same batches.

    Given to a `Batch`, they share each pass over it: a rank passes its share of the examples, and the gradients, the
    loss and the running statistics are summed over the ranks, each example counted once. What follows a pass, the
    perturbation, norms, moving averages, and the update, is then computed by every rank from the same numbers. So the
    ranks stay equal bit for bit, and equal to one process up to rounding, for any rule and any number of passes. That
    is why gradients are summed here, once for a pass, and not in the hooks of torch's DistributedDataParallel: these
    take equal shares, a gradient for every parameter, and one backward pass for each sum.

    >>> import tempfile
    >>> from samcli.optim import Batch
    >>> model = nn.Linear(2, 1)
    >>> with tempfile.TemporaryDirectory() as folder:  # one process alone, to show the call
    ...     torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=0, world_size=1)
    ...     batch = Batch(model, nn.functional.mse_loss, torch.ones(4, 2), torch.ones(4, 1), ranks=Ranks(0, 1))
    ...     bool(batch() > 0)
    ...     torch.distributed.destroy_process_group()
    True

    Attributes:
        rank: the number of this process.
        size: how many there are.
        sync_batch_norm: whether BatchNorm normalises by the statistics of the whole batch. Otherwise each rank does by
            those of its share, and running statistics are the means over the ranks.
        least: the fewest examples that a rank passes. A smaller batch is passed by every rank as a whole, and the
            result of rank 0 counts. BatchNorm needs two.
    """

    rank: int
    size: int
    sync_batch_norm: bool = False
    least: int = 1

    @classmethod
    def of(cls, model: nn.Module, *, rank: int, size: int, sync_batch_norm: bool = False) -> Ranks:
        """The ranks that train a model, each with at least as many examples as that needs.

        >>> Ranks.of(nn.Linear(2, 1), rank=0, size=2, sync_batch_norm=True)
        Ranks(rank=0, size=2, sync_batch_norm=False, least=1)
        """
        has_batch_norm = bool(batch_norms(model))
        return cls(rank, size, sync_batch_norm and has_batch_norm, 2 if has_batch_norm else 1)

    def shares(self, n: int) -> bool:
        """Whether `n` examples are enough to be shared."""
        return n >= self.size * self.least

    def part_of(self, n: int) -> slice:
        """The positions of this rank's examples among `n`; equal shares, the first ones larger by one if need be.

        >>> [Ranks(rank, 3).part_of(8) for rank in range(3)]
        [slice(0, 3, None), slice(3, 6, None), slice(6, 8, None)]
        """
        return self.own(n) if self.shares(n) else slice(0, n)

    def own(self, n: int) -> slice:
        """The positions of what is this rank's alone among `n` of anything; empty on some ranks if they are too few."""
        least, more = divmod(n, self.size)
        start = self.rank * least + min(self.rank, more)
        return slice(start, start + least + (self.rank < more))

    def pieces(self, n: int, accumulate: int) -> list[slice]:
        """This rank's examples among `n` in pieces, as many on every rank.

        >>> Ranks(0, 2).pieces(7, 2), Ranks(1, 2).pieces(7, 2)
        ([slice(0, 2, None), slice(2, 4, None)], [slice(4, 6, None), slice(6, 7, None)])
        """
        mine = self.part_of(n)
        count = min(accumulate, max(1, n // self.size)) if self.shares(n) else 1
        least, more = divmod(mine.stop - mine.start, count)
        starts = [mine.start + i * least + min(i, more) for i in range(count + 1)]
        return [slice(start, end) for start, end in pairwise(starts)]

    def counts(self, n: int) -> bool:
        """Whether this rank's pass over `n` examples counts."""
        return self.rank == 0 or self.shares(n)

    def passing(self, model: nn.Module, n: int) -> AbstractContextManager[None]:
        """Entered around a pass over `n` examples, forward and backward."""
        return synchronised(model, self.total) if self.sync_batch_norm and self.shares(n) else nullcontext()

    def sum_pass(self, model: nn.Module, loss: Tensor, n: int) -> Tensor:
        """Sum what the ranks found in a pass over `n` examples: gradients, in their place, and the loss, returned.

        A parameter has a gradient afterwards if it has one on any rank whose pass counts.
        """
        parameters: list[Tensor] = [p for p in model.parameters() if p.requires_grad]
        if any(p.grad is not None and p.grad.is_sparse for p in parameters):
            raise ConfigError(
                "Several processes do not share sparse gradients; set sparse=False in the embedding that makes them."
            )
        counts = self.counts(n)
        found = [p.grad if counts else None for p in parameters]
        mine = self.part_of(n)
        share = (mine.stop - mine.start) / n if self.shares(n) else float(counts)
        return self._sum(parameters, found, loss if counts else torch.zeros_like(loss), _running(model), share)

    def _sum(
        self, parameters: list[Tensor], found: list[Tensor | None], loss: Tensor, running: list[Tensor], share: float
    ) -> Tensor:
        gradients = [torch.zeros_like(p) if g is None else g for p, g in zip(parameters, found, strict=True)]
        present = torch.tensor([g is not None for g in found], dtype=torch.float32).to(loss.device)
        weighted = [statistic * share for statistic in running]
        loss = loss.clone()
        self.add_up([*gradients, *weighted, present, loss])
        for p, gradient, there in zip(parameters, gradients, present.tolist(), strict=True):
            p.grad = gradient if there else None
        if running:
            torch._foreach_copy_(running, weighted)
        return loss

    def sum_parts(
        self, means: StepMeans, loss: Tensor, norm: Tensor, finite: bool, evaluated: int
    ) -> tuple[Tensor, Tensor, bool, int]:
        """Sum what the ranks found in micro-batches of their own: the means of a step, in their place.

        Args:
            means: this rank's share of them.
            loss: that of the loss, without dimensions.
            norm: that of the sum of gradient norms.
            finite: whether all gradients were, as far as the host knows.
            evaluated: how many examples went forward and backward here.

        Returns:
            Loss, norm, `finite` and `evaluated` of all ranks. Where not all are finite the means stay as they are.
        """
        told = torch.stack([loss.double(), norm.double(), loss.new_tensor(not finite).double()])
        counted = torch.tensor(evaluated, device=loss.device)
        self.add_up([told, counted])
        all_finite = not bool(told[2])
        if all_finite:
            for sums in (means.gradient, *means.extras.values(), means.displacement):
                self._sum_by_parameter(sums, list(means.gradient))
        return told[0].to(loss.dtype), told[1].to(norm.dtype), all_finite, int(counted)

    def _sum_by_parameter(self, sums: ByParameter, parameters: list[Tensor]) -> None:
        tensors = [sums[p].clone() if p in sums else torch.zeros_like(p) for p in parameters]
        self.add_up(tensors)
        for p, tensor in zip(parameters, tensors, strict=True):
            if p in sums:
                sums[p] = tensor

    def average_running(self, model: nn.Module, share: float) -> None:
        """Replace running statistics by their means over the ranks, each weighted with its share."""
        running = _running(model)
        weighted = [statistic * share for statistic in running]
        if running:
            self.add_up(weighted)
            torch._foreach_copy_(running, weighted)

    def gather(self, structure: Any, n: int) -> Any:
        """The examples of all ranks, those of rank 0 first.

        Args:
            structure: this rank's `n` examples; every rank gives some, or none of the same shape.
            n: how many.
        """
        counts = torch.zeros(self.size, dtype=torch.int64)
        counts[self.rank] = n
        counts = counts.to(next(leaf.device for leaf in tree_leaves(structure) if isinstance(leaf, Tensor)))
        self.add_up([counts])
        start, whole = int(counts[: self.rank].sum()), int(counts.sum())

        def gathered(leaf: Any) -> Any:
            if not isinstance(leaf, Tensor) or not leaf.dim():
                return leaf
            kept = leaf.to(torch.uint8) if leaf.dtype == torch.bool else leaf
            everything = kept.new_zeros(whole, *kept.shape[1:])
            everything[start : start + n] = kept
            self.add_up([everything])
            return everything.to(leaf.dtype)

        return tree_map(gathered, structure)

    def total(self, tensor: Tensor) -> Tensor:
        """The sum of a tensor over the ranks, in place."""
        torch.distributed.all_reduce(torch.view_as_real(tensor) if tensor.is_complex() else tensor)
        return tensor

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Sum tensors over the ranks in place: one message for each type of numbers, the same bits on every rank."""
        by_type: dict[torch.dtype, list[Tensor]] = {}
        for tensor in tensors:
            by_type.setdefault(tensor.dtype, []).append(tensor)
        for same in by_type.values():
            flat = self.total(torch.cat([tensor.reshape(-1) for tensor in same]))
            for tensor, part in zip(same, torch.split(flat, [tensor.numel() for tensor in same]), strict=True):
                tensor.copy_(part.view(tensor.shape))


def _running(model: nn.Module) -> list[Tensor]:
    """The running statistics that a pass through the model has changed."""
    norms = [module for module in model.modules() if isinstance(module, _NormBase) and module.training]
    statistics = [statistic for norm in norms for statistic in (norm.running_mean, norm.running_var)]
    return [statistic for statistic in statistics if statistic is not None]
