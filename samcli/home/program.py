"""A network as one program: from raw inputs to what people read."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from samcli.home.known import Known
from samcli.tasks import Task


class Preprocessing(nn.Module):
    """Raw inputs to those of the network, as `samcli.data.normalise.Normalisation` makes them for training.

    The statistics are kept in 32 bits, so that an image may differ from that of training by a rounding.

    >>> import pathlib
    >>> from samcli.data import DATASETS, load
    >>> from samcli.home.known import known_of
    >>> data = load(DATASETS.create("digits"), seed=0, data_dir=pathlib.Path(), device="cpu")
    >>> made = Preprocessing(known_of(data.document(), pathlib.Path("checkpoint.pt")))(data.test.inputs[:5])
    >>> torch.allclose(made, next(data.test.batches(5))[0], atol=1e-6)
    True
    """

    shift: Tensor
    scale: Tensor

    def __init__(self, known: Known) -> None:
        super().__init__()
        self.kind = known.kind
        mean, std = known.mean.double(), known.std.double()
        shift, scale = (known.mean, known.std)
        if known.kind == "images":
            shift, scale = ((255.0 * mean).float(), (1.0 / (255.0 * std)).float())
            shift, scale = shift.view(-1, 1, 1), scale.view(-1, 1, 1)
        self.register_buffer("shift", shift)
        self.register_buffer("scale", scale)

    def forward(self, raw: Tensor) -> Tensor:
        """(N, H, W, C) uint8 to (N, C, H, W) float32; (N, F) to (N, F) float32; (N, T) to (N, T) int64."""
        if self.kind == "images":
            return (raw.permute(0, 3, 1, 2).to(torch.float32) - self.shift) * self.scale
        return raw.to(torch.int64) if self.kind == "tokens" else (raw.to(torch.float32) - self.shift) / self.scale


class Program(nn.Module):
    """Raw inputs to probabilities, or to values in the unit of the target, see `Task.prediction`."""

    def __init__(self, preprocessing: Preprocessing, model: nn.Module, task: Task) -> None:
        super().__init__()
        self.preprocessing, self.model, self._task = preprocessing, model, task

    def forward(self, raw: Tensor) -> Tensor:
        """Raw inputs of a batch, see `Preprocessing`, to (N, classes) or (N,)."""
        return self._task.prediction(self.model(self.preprocessing(raw)))
