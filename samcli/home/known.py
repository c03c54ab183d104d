"""What a checkpoint tells of the inputs and of the task of its network, looked at before it is trusted."""

from __future__ import annotations

import math
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor

from samcli.errors import ConfigError, UnusableCheckpoint
from samcli.runs.documents import DataDocument, fault_of
from samcli.runs.door import plain_fault
from samcli.shape import InputShape
from samcli.tasks import Task

MOST_OUTPUTS = 2**24
MOST_NUMBERS = 2**28  # of one input: an image of 16384 × 16384


@dataclass(frozen=True, eq=False)
class Known:
    """The entry `data` of a checkpoint, see `samcli.data.Dataset.document`.

    Attributes:
        kind: what the inputs are.
        shape: that of one input.
        task: what is predicted.
        class_names: in the order of the class numbers, also where nobody named them; empty for a regression.
        mean, std: what inputs are normalised by, see `samcli.data.normalise.Normalisation`.
        reading: how files become raw inputs; empty where the data set did not say.
    """

    kind: Literal["images", "table", "tokens"]
    shape: InputShape
    task: Task
    class_names: tuple[str, ...]
    mean: Tensor
    std: Tensor
    reading: dict[str, Any]


def known_of(document: object, file: Path) -> Known:
    """The entry `data` of a checkpoint, once it is seen to be sound.

    Args:
        document: as read; it may be a stranger's.
        file: the checkpoint, for messages.

    Raises:
        UnusableCheckpoint: it lacks something, or its parts do not fit each other.

    >>> known_of({"kind": "sounds"}, Path("checkpoint.pt"))
    Traceback (most recent call last):
    samcli.errors.UnusableCheckpoint: checkpoint.pt: its entry data has no sound value of kind: 'sounds'; use the \
samcli that wrote it, or train the run again.
    """
    held = document if isinstance(document, Mapping) else {}
    fault = fault_of(held, DataDocument)
    fault = fault or plain_fault({key: _listed(held[key]) for key in ("reading", "task", "class_names")})
    if not fault:
        try:
            return _known(held)
        except (ConfigError, ValueError, TypeError) as error:
            fault = f"does not fit: {str(error).rstrip('.')}"
    raise UnusableCheckpoint(f"{file}: its entry data {fault}; use the samcli that wrote it, or train the run again.")


def _known(held: Mapping[str, Any]) -> Known:
    kind, lengths, categories = held["kind"], held["shape"], held["categories"]
    if len(lengths) != (3 if kind == "images" else 1) or math.prod(lengths) > MOST_NUMBERS:
        raise ValueError(f"inputs of {kind} do not have the shape {lengths}")
    if (kind == "tokens") != bool(held["vocabulary"]):
        raise ValueError("there is a vocabulary without tokens, or tokens without a vocabulary")
    if categories and (kind != "table" or len(categories) != lengths[0]):
        raise ValueError(f"there are {len(categories)} entries of categories")
    task = task_of(held["task"])
    if not (1 <= task.outputs <= MOST_OUTPUTS and 2 <= (task.classes or 2) <= MOST_OUTPUTS):
        raise ValueError(f"a {task.name} does not have {task.outputs} outputs")
    names = tuple(held["class_names"]) or tuple(map(str, range(task.classes or 0)))
    if names and len(names) != (task.classes or 0):
        raise ValueError(f"there are {len(names)} class names for {task.classes or 'no'} classes")
    width = 0 if kind == "tokens" else lengths[0]
    mean, std = (_statistics(held.get(key), width) for key in ("mean", "std"))
    if not bool((std > 0).all()):
        raise ValueError("a standard deviation is not above 0")
    shape = InputShape(lengths, categories=categories, vocabulary=held["vocabulary"])
    return Known(kind, shape, task, names, mean, std, dict(held["reading"]))


def task_of(document: Mapping[str, Any]) -> Task:
    """The task that `Task.document` tells of, as far as this process knows it.

    Raises:
        ValueError: no task of that name, or it is not made so.

    >>> task_of({"name": "classification", "number": 3})
    Classification(number=3)
    """
    # one that differs from another in its loss alone has the other's name
    known = {kind.name: kind for kind in _kinds_below(Task) if is_dataclass(kind) and "name" in vars(kind)}
    kind = known.get(document["name"])
    if kind is None:
        raise ValueError(f"there is no task named {document['name']!r:.60}")
    hints = typing.get_type_hints(kind)
    types = {field.name: hints[field.name] for field in fields(kind) if field.init}  # type: ignore[arg-type]
    given = {key: value for key, value in document.items() if key != "name"}
    for key, value in given.items():
        if key not in types:
            raise ValueError(f"a {kind.name} has no {key!r:.60}")
        try:
            TypeAdapter(types[key]).validate_python(value, strict=True)
        except ValidationError:
            raise ValueError(f"the {key} of its task is {value!r:.60}") from None
    return kind(**given)


def _kinds_below(kind: Any) -> Iterator[type[Task]]:
    for inner in kind.__subclasses__():
        yield inner
        yield from _kinds_below(inner)


def _statistics(value: object, width: int) -> Tensor:
    if not isinstance(value, Tensor) or value.shape != (width,) or value.layout != torch.strided:
        raise ValueError(f"mean and std must have {width} numbers")
    numbers = value.detach().float()
    if not bool(numbers.isfinite().all()):
        raise ValueError("mean or std is not finite")
    return numbers.clone()


def _listed(value: Any) -> Any:
    """The value with lists for tuples, which plain files have none of."""
    if isinstance(value, Mapping):
        return {key: _listed(inner) for key, inner in value.items()}
    return [_listed(inner) for inner in value] if isinstance(value, list | tuple) else value
