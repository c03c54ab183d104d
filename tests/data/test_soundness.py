"""Data that do not mean what they seem are refused before the first run, in a sentence that says where."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

from samcli.data import Binary, Classification, DatasetKind, Regression, Source, load, source_faults
from samcli.data.soundness import source_notes
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
TABLES: list[tuple[Callable[[Source], Any], str]] = [
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
    (lambda s: replace(s, inputs=s.inputs[:, :0], test_inputs=s.test_inputs[:, :0]),
     "The training inputs have the shape (30, 0): there is nothing in them."),
    (lambda s: replace(s, inputs=s.inputs.to_sparse()), "The training inputs must be dense, and are torch.sparse_coo."),
    (lambda s: replace(s, inputs=s.inputs.clone().requires_grad_()), "inputs must not require a gradient."),
    (lambda s: replace(s, test_inputs=s.test_inputs.to("meta")), "test inputs must be on the host, and are on meta."),
    (lambda s: replace(s, test_targets=s.test_targets.to_sparse()), "The test targets must be dense"),
    (lambda s: replace(s, inputs=spoiled(s.inputs, -1e35, (7, 2))),
     "The training inputs hold -1e+35 (column 3, counted from 1); numbers beyond 1e+18 have no square in 32 bits."),
    (lambda s: replace(s, inputs=s.inputs[:1].expand(30, 5)), "All training inputs are equal: there is nothing"),
    (lambda s: replace(s, test_inputs=s.test_inputs * 0), "test inputs are the same number, 0: they tell nothing."),
    (lambda s: replace(s, targets=torch.nn.functional.one_hot(s.targets).float()),
     "The training targets must have the shape (N,), one for each example, and have (30, 2)."),
    (lambda s: replace(s, targets=s.targets.bool()), "must be class numbers, torch.int64, and are torch.bool."),
    (lambda s: replace(s, targets=s.targets * 0 + 1, class_names=("no", "yes")),
     "All training targets are of one class, yes."),
    (lambda s: replace(s, task=Classification(4), test_targets=s.test_targets.index_fill(0, torch.tensor([0, 1]), 3)),
     "The test part has 2 examples of the class 3, of which the training part has none."),
    (lambda s: replace(s, class_names=("no", "yes", "perhaps")), "There are 3 class names for 2 classes."),
    (lambda s: regression(s, lambda y: 1e20 * y), "which has no square in 32 bits; scale them."),
    (lambda s: regression(s, lambda y: 0 * y + 3), "All training targets are the same number, 3: there is nothing"),
    (lambda s: replace(regression(s), test_targets=torch.ones(10)), "All test targets are the same number, 1: they"),
    (lambda s: replace(s, validation=(spoiled(s.test_inputs, NAN, (0, 1)), s.test_targets)),
     "The validation inputs hold 1 value that is not finite (column 2, counted from 1)."),
    (lambda s: replace(s, validation=(s.test_inputs[:, :3], s.test_targets)),
     "A training input has the shape (5,), a validation input (3,)."),
    (lambda s: (s.inputs, s.targets), "source must return a samcli.data.Source, not tuple."),
    (lambda s: replace(s, task="classification"), "The task of the source must be one of samcli.tasks, not str."),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "sentence"), TABLES)
def test_a_fault_of_a_table_is_named(
    spoil: Callable[[Source], Any], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = spoil(Table().source(Path()))
    found = source_faults(source, Table())
    assert any(sentence in fault for fault in found), found
    monkeypatch.setattr(Table, "source", lambda self, data_dir: source)
    with pytest.raises(DataError, match=r"^my table cannot be trained on\. [TAs]"):
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


def test_what_may_be_meant_so_is_noted() -> None:
    images = Images().source(Path())
    assert list(source_notes(images)) == []
    assert list(source_notes(regression(Table().source(Path())))) == []
    some, names = images.test_targets == 1, ("lower", "upper")
    part = replace(images, test_inputs=images.test_inputs[some], test_targets=images.test_targets[some])
    assert list(source_notes(replace(part, class_names=names))) == ["no test example of lower"]
    assert list(source_notes(replace(images, validation=(part.test_inputs, part.test_targets)))) == [
        "no validation example of 0"
    ]
    more = replace(Table().source(Path()), task=Classification(9))
    assert next(source_notes(more)) == "no training example of 2, 3, 4, 5, 6, ..."
    leaked = replace(images, test_inputs=torch.cat([images.inputs[:3], images.test_inputs[3:]]))
    assert list(source_notes(leaked)) == ["3 of 10 test images are training images too"]
    flat = images.inputs.clone()
    flat[images.targets == 0] = 9
    count = int((images.targets == 0).sum())
    assert list(source_notes(replace(images, inputs=flat))) == [f"all {count} training images of 0 are equal"]
