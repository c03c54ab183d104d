"""A part of a data set: examples on the device, in a fixed order."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from samcli.data.normalise import Normalisation
from samcli.streams import stream

MOST_TOKENS = 4096  # in a batch that nobody chose; times 50,000 outputs of each it is 800 MB


@dataclass(frozen=True, eq=False)
class Part:
    """The training, validation or test part of a data set, without augmentation.

    Attributes:
        inputs: as stored: images (N, H, W, C) uint8, tables (N, F) float32, already normalised, or tokens (N, T) int32.
        targets: (N,), int64 classes, or float32 for a regression; (N, T) int64 for a language model.
        normalisation: that of the training part.
    """

    inputs: Tensor
    targets: Tensor
    normalisation: Normalisation

    def __len__(self) -> int:
        return len(self.targets)

    def batches(self, size: int, *, least: int = 1) -> Iterator[tuple[Tensor, Tensor]]:
        """Normalised (input, target) batches in order; the last has what is left.

        Inputs are (B, C, H, W) float32 in channels-last memory order, (B, F) float32, or (B, T) int64.

        Args:
            size: examples in a batch.
            least: with fewer than these, what is left joins the batch before: BatchNorm cannot train on a single one.
        """
        starts = list(range(0, len(self), size))
        if len(starts) > 1 and len(self) - starts[-1] < least:
            starts.pop()
        for start, end in zip(starts, [*starts[1:], len(self)], strict=True):
            yield self.normalisation.ready(self.inputs[start:end]), self.targets[start:end]

    def at_once(self, most: int) -> int:
        """How many examples may go through a network together: at most so many, and of windows of tokens fewer.

        >>> windows = torch.zeros(9, 1024, dtype=torch.int64)
        >>> Part(windows.int(), windows, Normalisation(windows.int(), torch.device("cpu"))).at_once(1000)
        4
        """
        return most if self.targets.dim() == 1 else max(1, min(most, MOST_TOKENS // self.targets[0].numel()))

    def subset(self, n: int, seed: int) -> Part:
        """A part of at most `n` examples drawn without replacement, the same for the same seed, in the same order."""
        return self.chosen(torch.randperm(len(self), generator=stream(seed, "subset"))[:n].sort().values)

    def chosen(self, numbers: Tensor) -> Part:
        """A part of some of the examples, (n,) int64, in the order of their numbers here.

        >>> rows = torch.tensor([[1.0], [2.0], [4.0]])
        >>> part = Part(rows, torch.tensor([0, 1, 2]), Normalisation(rows, torch.device("cpu")))
        >>> part.chosen(torch.tensor([2, 0])).targets
        tensor([2, 0])
        """
        numbers = numbers.to(self.targets.device)
        return dataclasses.replace(self, inputs=self.inputs[numbers], targets=self.targets[numbers])
