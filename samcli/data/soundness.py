"""The soundness of raw data: whether they are what training takes them for, found before the first run."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from samcli.data.base import DatasetKind, Source
from samcli.tasks import Task


def source_faults(source: Source, kind: DatasetKind) -> list[str]:
    """The faults of a source, in sentences; empty if there are none.

    Each of them would otherwise end in an error far from its cause, or in a wrong number: targets of the shape (N, 1),
    say, broadcast against outputs, and a single NaN looks like a learning rate that is too large.

    >>> from pathlib import Path
    >>> from samcli.data import DATASETS
    >>> wine = DATASETS.create("wine")
    >>> source_faults(wine.source(Path()), wine)
    []
    """
    faults = []
    for part, inputs, targets in (
        ("training", source.inputs, source.targets),
        ("test", source.test_inputs, source.test_targets),
    ):
        found = list(_faults_of_inputs(part, inputs, kind.is_images))
        found += _faults_of_targets(part, targets, source.task)
        if not found and (len(inputs) != len(targets) or not len(inputs)):
            found.append(f"The {part} part has {len(inputs)} inputs and {len(targets)} targets.")
        faults += found
    if not faults:
        faults += _faults_between(source)
    return faults


def _faults_of_inputs(part: str, inputs: Tensor, is_images: bool) -> Iterator[str]:
    wanted, layout = (torch.uint8, "(N, H, W, C)") if is_images else (torch.float32, "(N, F)")
    if not isinstance(inputs, Tensor):
        yield f"The {part} inputs must be a torch tensor, not {type(inputs).__name__}."
    elif inputs.dtype != wanted:
        yield f"The {part} inputs are {inputs.dtype}; is_images = {is_images} asks for {wanted}."
    elif inputs.dim() != len(layout.split(",")):
        yield f"The {part} inputs must have the shape {layout}, and have {tuple(inputs.shape)}."
    elif not is_images and (count := int((~inputs.isfinite()).sum())):
        columns = (~inputs.isfinite()).any(0).nonzero().flatten() + 1
        named = ", ".join(map(str, columns[:5].tolist())) + (", ..." if len(columns) > 5 else "")
        yield (
            f"The {part} inputs hold {_values(count)} not finite (column{'s' if len(columns) > 1 else ''} {named}, "
            "counted from 1)."
        )


def _faults_of_targets(part: str, targets: Tensor, task: Task) -> Iterator[str]:
    if not isinstance(targets, Tensor):
        yield f"The {part} targets must be a torch tensor, not {type(targets).__name__}."
    elif targets.dim() != 1:
        yield f"The {part} targets must have the shape (N,), one for each example, and have {tuple(targets.shape)}."
    elif task.classes is None:
        if targets.dtype != torch.float32:
            yield f"The {part} targets of a regression must be torch.float32, and are {targets.dtype}."
        elif count := int((~targets.isfinite()).sum()):
            first = int((~targets.isfinite()).nonzero()[0])
            yield f"The {part} targets hold {_values(count)} not finite (the first is that of example {first + 1})."
    elif targets.dtype != torch.int64:
        yield f"The {part} targets must be class numbers, torch.int64, and are {targets.dtype}."
    elif len(targets) and not (int(targets.min()) >= 0 and int(targets.max()) < task.classes):
        reach = f"reach from {int(targets.min())} to {int(targets.max())}"
        yield f"The {part} targets must be class numbers from 0 to {task.classes - 1}, and {reach}."


def _faults_between(source: Source) -> Iterator[str]:
    train, test = (tuple(inputs.shape[1:]) for inputs in (source.inputs, source.test_inputs))
    if train != test:
        yield f"A training input has the shape {train}, a test input {test}."
    low, high = source.inputs.aminmax()
    if low == high:
        yield f"All training inputs are the same number, {low.item():g}: there is nothing to learn from."


def _values(count: int) -> str:
    return "1 value that is" if count == 1 else f"{count} values that are"
