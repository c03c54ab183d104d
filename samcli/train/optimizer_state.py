"""The state of an optimizer out of a checkpoint, held against the optimizer that is to take it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from samcli.config import RunConfig
from samcli.train.components import build_optimizer

# what a schedule sets, and what torch decides for the device at hand
NOT_OF_THE_RUN = ("params", "lr", "initial_lr", "foreach", "fused", "capturable")


def restore_optimizer(optimizer: Optimizer, state: Mapping[str, Any]) -> None:
    """Have an optimizer that is configured as the run asks take the state of a checkpoint.

    torch takes options and tensors as they come, and fails on them in a later step.

    Raises:
        ValueError: an option is not that of the run, or a tensor has not the shape of its parameter.

    >>> weight = torch.nn.Parameter(torch.zeros(2))
    >>> state = torch.optim.SGD([weight], momentum=0.9).state_dict()
    >>> restore_optimizer(torch.optim.SGD([weight], momentum=0.9), state)
    >>> restore_optimizer(torch.optim.SGD([weight], momentum=0.5), state)
    Traceback (most recent call last):
    ValueError: the optimizer's momentum is 0.9, not 0.5
    """
    options = [
        {key: value for key, value in group.items() if key not in NOT_OF_THE_RUN} for group in _groups(optimizer)
    ]
    optimizer.load_state_dict(dict(state))
    for fault in _faults(optimizer, options):
        raise ValueError(fault)


def rebuilt_optimizer(config: RunConfig, model: nn.Module, outputs: int, state: Mapping[str, Any]) -> Optimizer:
    """A run's optimizer over the parameters of a network, with the state of a checkpoint.

    >>> from samcli.config import Draft, parse
    >>> from samcli.train.catalogue import CATALOGUE
    >>> (config,) = Draft.of(parse("{optimizer: {name: sgd, lr: 0.3}}", "x.yaml"), CATALOGUE).expand()
    >>> state = build_optimizer(config, nn.Linear(3, 2), 2).state_dict()
    >>> rebuilt_optimizer(config, nn.Linear(3, 2), 2, state).param_groups[0]["lr"]
    0.3

    Args:
        config: the run.
        model: the one trained, or the average of its weights.
        outputs: columns of the model's output.
        state: of the run's optimizer.

    Raises:
        ValueError: see `restore_optimizer`.
    """
    optimizer = build_optimizer(config, model, outputs)
    restore_optimizer(optimizer, state)
    return optimizer


def _faults(optimizer: Optimizer, options: list[dict[str, Any]]) -> Iterator[str]:
    for group, wanted in zip(_groups(optimizer), options, strict=True):
        for key, value in wanted.items():
            if key not in group or not _same(group[key], value):
                yield f"the optimizer's {key} is {group.get(key)!r:.60}, not {value!r:.60}"
        rate = group["lr"]
        if not isinstance(rate, Tensor) and not (isinstance(rate, float | int) and 0.0 <= rate < math.inf):
            yield f"the optimizer's lr is {rate!r:.60}"
    for parameter, entries in optimizer.state.items():
        for name, value in entries.items():
            sound = isinstance(value, float | int | None)
            if isinstance(value, Tensor):
                sound = value.shape == parameter.shape or value.numel() == 1
            if not sound:
                yield f"the optimizer's {name} does not fit its parameter of the shape {tuple(parameter.shape)}"


def _groups(optimizer: Optimizer) -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = optimizer.param_groups
    return groups


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor) or isinstance(other, Tensor):
        return isinstance(one, Tensor) and isinstance(other, Tensor) and torch.equal(one, other)
    one, other = (tuple(value) if isinstance(value, list) else value for value in (one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)
