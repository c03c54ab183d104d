"""Some of the classes of a data set, as a data set of their own."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

import torch
from torch import Tensor

from samcli.data.base import Source
from samcli.errors import ConfigError
from samcli.tasks import Classification


def of_classes(source: Source, classes: Sequence[int]) -> Source:
    """The examples of some classes, which are numbered anew in the order in which they are given.

    Args:
        source: a data set of classes.
        classes: their numbers; none at all stands for every class.

    Raises:
        ConfigError: there are no such classes, or not two of them.

    >>> from pathlib import Path
    >>> from samcli.data import DATASETS
    >>> wine = of_classes(DATASETS.create("wine").source(Path()), (2, 0))
    >>> wine.class_names, wine.task, sorted(set(wine.targets.tolist()))
    (('class_2', 'class_0'), Classification(number=2), [0, 1])
    """
    return _of_classes(source, tuple(classes)) if classes else source


@functools.lru_cache(maxsize=4)
def _of_classes(source: Source, classes: tuple[int, ...]) -> Source:
    there = source.task.classes
    if there is None:
        raise ConfigError("classes chooses among the classes of a data set, and this one has none; leave it out.")
    if len(set(classes)) < max(2, len(classes)) or max(classes) >= there:
        raise ConfigError(
            f"classes: {', '.join(map(str, classes))} must be two or more different ones of 0 to {there - 1}."
        )
    number = torch.full((there,), -1)
    number[list(classes)] = torch.arange(len(classes))

    def chosen(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        kept = (number[targets] >= 0).nonzero().squeeze(1)
        return inputs.index_select(0, kept), number[targets[kept]]

    inputs, targets = chosen(source.inputs, source.targets)
    test_inputs, test_targets = chosen(source.test_inputs, source.test_targets)
    if not len(targets) or not len(test_targets):
        raise ConfigError(f"There are no examples of the classes {', '.join(map(str, classes))}; choose others.")
    return dataclasses.replace(
        source,
        inputs=inputs,
        targets=targets,
        test_inputs=test_inputs,
        test_targets=test_targets,
        task=Classification(len(classes)),
        class_names=tuple(source.class_names[c] for c in classes) if source.class_names else (),
        validation=chosen(*source.validation) if source.validation else None,
    )
