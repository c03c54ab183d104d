"""The sums of an epoch of training, which the host does not look at before its end."""

from __future__ import annotations

import torch
from torch import Tensor

from samcli.double import in_double, zero_in_double
from samcli.optim import Ranks


class Tally:
    """Sums of losses and statistics on the device, in tensors that stay where they are from epoch to epoch.

    >>> tally = Tally(torch.device("cpu"))
    >>> for hits in (3.0, 4.0):
    ...     tally.add(torch.tensor(0.5), torch.tensor([hits]), examples=10)
    >>> float(tally.loss), tally.statistics
    (10.0, tensor([7.]))
    >>> tally.mean_loss(20)
    0.5
    """

    def __init__(self, device: torch.device) -> None:
        self.loss = zero_in_double(device)
        self.weight = zero_in_double(device)  # of the examples, where the loss divides by something else
        self._is_weighted = False
        self.statistics: Tensor | None = None

    def clear(self) -> None:
        """Begin anew."""
        self.loss.zero_()
        self.weight.zero_()
        if self.statistics is not None:
            self.statistics.zero_()

    def add(self, loss: Tensor, statistics: Tensor, examples: int, denominator: Tensor | float | None = None) -> None:
        """Add a batch.

        Args:
            loss: the mean over the batch.
            statistics: sums over the batch, see `Task.statistics`.
            examples: how many examples the batch has.
            denominator: what the loss of these divides by, if not their number: of all batches or of none.
        """
        if denominator is None:
            self.loss += in_double(loss * examples)
        else:
            size = in_double(denominator) if isinstance(denominator, Tensor) else denominator
            self.loss += in_double(loss) * size
            self.weight += size
            self._is_weighted = True
        if self.statistics is None:
            self.statistics = torch.zeros_like(statistics)
        self.statistics += statistics

    def mean_loss(self, examples: int) -> float:
        """The mean over all batches, of so many examples together; waits for the device."""
        return float(self.loss) / (float(self.weight) if self._is_weighted else examples)

    def add_up(self, ranks: Ranks, examples: int, cpu_seconds: float) -> tuple[int, float]:
        """Add up what the ranks have counted, each its share of the examples.

        Args:
            ranks: those that share each batch.
            examples: how many were added here.
            cpu_seconds: of this process.

        Returns:
            The examples and the seconds of all ranks.
        """
        assert self.statistics is not None
        told = torch.tensor([examples, cpu_seconds], dtype=torch.float64, device=self.loss.device)
        ranks.add_up([self.loss, self.weight, self.statistics, told])
        whole, seconds = told.tolist()
        return int(whole), seconds

    def sums(self) -> Tensor:
        """All that was added, (2 + statistics,) float64, so that another tally can take it; see `add_sums`."""
        assert self.statistics is not None
        return torch.cat([self.loss.reshape(1), self.weight.reshape(1), in_double(self.statistics).reshape(-1)])

    def add_sums(self, sums: Tensor, like: Tally) -> None:
        """Add what another tally told by `sums`.

        >>> tally, other = Tally(torch.device("cpu")), Tally(torch.device("cpu"))
        >>> other.add(torch.tensor(0.5), torch.tensor([3.0]), examples=10)
        >>> tally.add_sums(other.sums(), like=other)
        >>> tally.mean_loss(10), tally.statistics
        (0.5, tensor([3.]))

        Args:
            sums: of the other one.
            like: a tally of the same kind of batches.
        """
        assert like.statistics is not None
        if self.statistics is None:
            self.statistics = torch.zeros_like(like.statistics)
        self.loss += sums[0]
        self.weight += sums[1]
        self._is_weighted = like._is_weighted
        self.statistics += sums[2:].view(self.statistics.shape).to(self.statistics)
