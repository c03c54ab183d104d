"""Data that do not mean what they seem are refused before the first run, in a sentence that says where."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from torch import Tensor

from samcli.data import Binary, Classification, DatasetKind, Regression, Source, load, source_faults
from samcli.errors import DataError


@dataclass(frozen=True, kw_only=True)
class Table(DatasetKind):
    """A table that a test spoils."""

    title: ClassVar[str] = "my table"
    is_images: ClassVar[bool] = False

    def source(self, data_dir: Path) -> Source:
        x = torch.randn(40, 5, generator=torch.Generator().manual_seed(0))
        y = (x[:, 0] > 0).long()
        return Source(x[:30], y[:30], x[30:], y[30:], Classification(2))


@dataclass(frozen=True, kw_only=True)
class Images(Table):
    """Images that a test spoils."""

    is_images: ClassVar[bool] = True

    def source(self, data_dir: Path) -> Source:
        generator = torch.Generator().manual_seed(0)
        x = torch.randint(256, (40, 4, 4, 1), generator=generator, dtype=torch.uint8)
        y = (x[:, 0, 0, 0] > 127).long()
        return Source(x[:30], y[:30], x[30:], y[30:], Binary())


def regression(source: Source, change: Callable[[Tensor], Tensor] = lambda y: y) -> Source:
    y, test = source.inputs.sum(1), source.test_inputs.sum(1)
    return replace(source, task=Regression(), targets=change(y), test_targets=change(test))


def spoiled(x: Tensor, value: float, *places: tuple[int, int]) -> Tensor:
    x = x.clone()
    for row, column in places:
        x[row, column] = value
    return x


NAN, INF = float("nan"), float("inf")
TABLES: list[tuple[Callable[[Source], Source], str]] = [
    (lambda s: replace(s, inputs=spoiled(s.inputs, NAN, (7, 2))),
     "The training inputs hold 1 value that is not finite (column 3, counted from 1)."),
    (lambda s: replace(s, test_inputs=spoiled(s.test_inputs, INF, (0, 0), (1, 0), (1, 4))),
     "The test inputs hold 3 values that are not finite (columns 1, 5, counted from 1)."),
    (lambda s: replace(s, inputs=s.inputs.double()),
     "The training inputs are torch.float64; is_images = False asks for torch.float32."),
    (lambda s: replace(s, inputs=s.inputs[:, :, None]),
     "The training inputs must have the shape (N, F), and have (30, 5, 1)."),
    (lambda s: replace(s, inputs=s.inputs.numpy()), "The training inputs must be a torch tensor, not ndarray."),
    (lambda s: replace(s, inputs=torch.ones(30, 5)), "All training inputs are the same number, 1: there is nothing"),
    (lambda s: replace(s, test_inputs=s.test_inputs[:, :4]), "A training input has the shape (5,), a test input (4,)."),
    (lambda s: replace(s, inputs=s.inputs[:29]), "The training part has 29 inputs and 30 targets."),
    (lambda s: replace(s, test_inputs=s.test_inputs[:0], test_targets=s.test_targets[:0]),
     "The test part has 0 inputs and 0 targets."),
    (lambda s: replace(s, targets=s.targets[:, None]),
     "The training targets must have the shape (N,), one for each example, and have (30, 1)."),
    (lambda s: replace(s, targets=s.targets.int()),
     "The training targets must be class numbers, torch.int64, and are torch.int32."),
    (lambda s: replace(s, test_targets=s.test_targets.float()),
     "The test targets must be class numbers, torch.int64, and are torch.float32."),
    (lambda s: replace(s, targets=2 * s.targets - 1),
     "The training targets must be class numbers from 0 to 1, and reach from -1 to 1."),
    (lambda s: replace(s, targets=s.targets + 1),
     "The training targets must be class numbers from 0 to 1, and reach from 1 to 2."),
    (lambda s: regression(s, lambda y: y[:, None]),
     "The training targets must have the shape (N,), one for each example, and have (30, 1)."),
    (lambda s: regression(s, lambda y: y.double()),
     "The training targets of a regression must be torch.float32, and are torch.float64."),
    (lambda s: regression(s, lambda y: torch.where(y > 0, y, INF)), "values that are not finite (the first is that of"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "sentence"), TABLES)
def test_a_fault_of_a_table_is_named(
    spoil: Callable[[Source], Source], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = spoil(Table().source(Path()))
    found = source_faults(source, Table())
    assert any(sentence in fault for fault in found), found
    monkeypatch.setattr(Table, "source", lambda self, data_dir: source)
    with pytest.raises(DataError, match=r"^my table cannot be trained on\. [TA]"):
        load(Table(), seed=0, data_dir=Path(sentence), device="cpu")  # a folder of its own: sources are kept


@pytest.mark.parametrize("value", [0, 255])
def test_images_without_a_picture_are_refused(value: int) -> None:
    source = Images().source(Path())
    blank = replace(source, inputs=torch.full_like(source.inputs, value))
    assert source_faults(blank, Images()) == [
        f"All training inputs are the same number, {value}: there is nothing to learn from."
    ]
    flat = replace(source, inputs=source.inputs[..., 0])
    assert source_faults(flat, Images()) == [
        "The training inputs must have the shape (N, H, W, C), and have (30, 4, 4)."
    ]


def test_sound_data_are_not_accused() -> None:
    assert source_faults(Table().source(Path()), Table()) == []
    assert source_faults(regression(Table().source(Path())), Table()) == []
    assert source_faults(Images().source(Path()), Images()) == []
