"""What several processes may share of a run, and what a user of several should know."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import torch
import torch.distributed
from torch import nn

from samcli.config import RunConfig
from samcli.errors import ConfigError
from samcli.optim import Ranks
from samcli.train.components import wants_partner
from samcli.train.session import Session


def sharing(config: RunConfig, processes: int, rank: int = 0) -> Callable[[nn.Module], Ranks] | None:
    """How a session shares its batches, see `Session`; None for one process.

    >>> from samcli.config import Draft, parse
    >>> from samcli.train.catalogue import CATALOGUE
    >>> (config,) = Draft.of(parse("{optimizer: sam}", "x.yaml"), CATALOGUE).expand()
    >>> sharing(config, 2)(nn.BatchNorm1d(3))
    Ranks(rank=0, size=2, sync_batch_norm=False, least=2)
    """
    if processes == 1:
        return None
    return partial(Ranks.of, rank=rank, size=processes, sync_batch_norm=config.training.sync_batch_norm)


def check_sharing(runs: Iterable[RunConfig], processes: int, device: torch.device, *, elsewhere: bool = False) -> None:
    """Refuse, before the first run, what several processes cannot share.

    >>> from samcli.config import Draft, parse
    >>> from samcli.train.catalogue import CATALOGUE
    >>> runs = Draft.of(parse("{optimizer: {name: sampa, processes: 2}}", "x.yaml"), CATALOGUE).expand()
    >>> check_sharing(runs, 2, torch.device("cpu"))
    Traceback (most recent call last):
    samcli.errors.ConfigError: sampa with processes: 2 has two processes of its own; set its processes: 1, whose \
batches others can share, or train it without --processes.

    Args:
        runs: those to be trained.
        processes: how many are to share each batch.
        device: where.
        elsewhere: whether other machines train, whose GPUs are not known here.

    Raises:
        ConfigError: they cannot.
    """
    if processes == 1:
        return
    if not torch.distributed.is_available():
        raise ConfigError("This torch is built without torch.distributed, which several processes need.")
    if device.type not in ("cpu", "cuda"):
        raise ConfigError(f"Several processes train on the CPU or on NVIDIA GPUs, not on {device}; use --device cpu.")
    if device.type == "cuda" and not elsewhere:
        here = int(os.environ.get("LOCAL_WORLD_SIZE", processes))
        there = 1 if device.index is not None else torch.cuda.device_count()
        if here > there:
            raise ConfigError(
                f"{here} processes need as many GPUs, and --device {device} has {there}; use fewer, or --device cpu."
            )
    for config in runs:
        if wants_partner(config):
            name = config.optimizer["name"]
            raise ConfigError(
                f"{name} with processes: 2 has two processes of its own; set its processes: 1, whose batches others "
                "can share, or train it without --processes."
            )
        if config.federated:
            if (config.federated.per_round or 0) < processes:
                raise ConfigError(
                    f"{processes} processes cannot share the {config.federated.per_round} clients of a round; take "
                    "fewer processes, or a larger federated.per_round."
                )
            continue
        if config.training.batch_size < processes:
            raise ConfigError(
                f"A batch of {config.training.batch_size} cannot be shared by {processes} processes; take a larger "
                "--batch-size, or fewer processes."
            )


def tell_of_ranks(session: Session, before: Mapping[str, Any], on_notice: Callable[[str], None]) -> None:
    """Say what a user of several processes should know of this run.

    Args:
        session: the run.
        before: the content of its `run.json` before it is continued.
        on_notice: is told a sentence.
    """
    if session.config.federated:  # the numbers are the same
        return
    ranks = session.ranks
    size = 1 if ranks is None else ranks.size
    began = before.get("processes", 1)
    if session.epoch and began != size:
        on_notice(f"Its epochs so far were trained with processes: {began}, the next ones are with {size}.")
    if ranks is not None and ranks.least > 1 and not ranks.sync_batch_norm:
        on_notice(
            f"Each of the {size} processes normalises by its share of the batch in BatchNorm, so results are not those "
            "of one process; with --set sync_batch_norm=true they are, up to rounding."
        )
