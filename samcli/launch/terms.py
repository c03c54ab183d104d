"""What the runs of a command have in common, whichever engine trains them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch


@dataclass(frozen=True)
class Terms:
    """Where runs read and compute, and when they are given up.

    Attributes:
        data_dir: where data sets lie.
        device: where to train.
        timeout: the most seconds that one run may take in this command; None if there is no such limit.
        most_failures: with so many failed runs no other begins, and those under way stop after their epoch; None if
            the others always go on.
        processes: how many share the batches of each run, see `samcli.train.ranks`.
    """

    data_dir: Path
    device: torch.device
    timeout: float | None = None
    most_failures: int | None = None
    processes: int = 1
