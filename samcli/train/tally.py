"""The sums of an epoch of training, which the host does not look at before its end."""

from __future__ import annotations

import torch
from torch import Tensor

from samcli.double import in_double, zero_in_double


class Tally:
    """Sums of losses and statistics on the device, in tensors that stay where they are from epoch to epoch.

    >>> tally = Tally(torch.device("cpu"))
    >>> for hits in (3.0, 4.0):
    ...     tally.add(torch.tensor(0.5), torch.tensor([hits]), examples=10)
    >>> float(tally.loss), tally.statistics
    (10.0, tensor([7.]))
    """

    def __init__(self, device: torch.device) -> None:
        self.loss = zero_in_double(device)
        self.statistics: Tensor | None = None

    def clear(self) -> None:
        """Begin anew."""
        self.loss.zero_()
        if self.statistics is not None:
            self.statistics.zero_()

    def add(self, loss: Tensor, statistics: Tensor, examples: int) -> None:
        """Add a batch.

        Args:
            loss: the mean over the batch.
            statistics: sums over the batch, see `Task.statistics`.
            examples: how many examples the batch has.
        """
        self.loss += in_double(loss * examples)
        if self.statistics is None:
            self.statistics = torch.zeros_like(statistics)
        self.statistics += statistics
