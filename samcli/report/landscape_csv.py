"""The numbers of loss landscapes as CSV."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from samcli.escape import csv_cell

if TYPE_CHECKING:
    from torch import Tensor


class Landscape(Protocol):
    """The mean loss at the points of a line or of a plane, as `samcli.sharpness.Landscape` holds it."""

    @property
    def axes(self) -> tuple[tuple[float, ...], ...]:
        """The coordinates along each direction."""

    @property
    def losses(self) -> Tensor:
        """The losses, on the CPU, with a dimension for each axis."""

    @property
    def examples(self) -> int:
        """How many examples each loss is a mean over."""


def slices_as_csv(checkpoints: Sequence[str], landscapes: Sequence[Landscape]) -> str:
    """CSV with a row for each point of each checkpoint: `checkpoint,alpha[,beta],train_loss`, to the last bit.

    >>> from types import SimpleNamespace as Stub
    >>> import torch
    >>> curve = Stub(axes=((-1.0, 1.0),), losses=torch.tensor([1.5, 0.5]))
    >>> slices_as_csv(["a.pt"], [curve]).splitlines()
    ['checkpoint,alpha,train_loss', 'a.pt,-1.0,1.5', 'a.pt,1.0,0.5']
    """
    axes = ("alpha", "beta")[: landscapes[0].losses.dim()]
    rows = [
        (checkpoint, *point, loss)
        for checkpoint, landscape in zip(checkpoints, landscapes, strict=True)
        for point, loss in zip(itertools.product(*landscape.axes), landscape.losses.flatten().tolist(), strict=True)
    ]
    return _csv(("checkpoint", *axes, "train_loss"), rows)


def line_as_csv(landscapes: Mapping[str, Landscape]) -> str:
    """CSV with a row for each point of the line: `t,train_loss,test_loss`, to the last bit.

    >>> from types import SimpleNamespace as Stub
    >>> import torch
    >>> line = Stub(axes=((0.0, 1.0),), losses=torch.tensor([0.5, 0.25]))
    >>> line_as_csv({"train": line, "test": line}).splitlines()
    ['t,train_loss,test_loss', '0.0,0.5,0.5', '1.0,0.25,0.25']
    """
    columns = [landscape.losses.tolist() for landscape in landscapes.values()]
    axis = next(iter(landscapes.values())).axes[0]
    return _csv(("t", *(f"{part}_loss" for part in landscapes)), zip(axis, *columns, strict=True))


def _csv(header: Sequence[str], rows: Any) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(map(csv_cell, row) for row in rows)
    return text.getvalue()
