"""Places for runs that train at once: cores, threads and GPUs shared out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from samcli.errors import ConfigError


@dataclass(frozen=True)
class Slot:
    """A place for one run at a time.

    Attributes:
        cores: the processor's, by the system's numbers; the run is pinned to them.
        threads: how many it computes with.
        device: where it trains.
    """

    cores: tuple[int, ...]
    threads: int
    device: torch.device


def slots_of(
    waiting: int,
    cores: Sequence[int],
    devices: Sequence[torch.device],
    *,
    jobs: int | None = None,
    jobs_per_gpu: int | None = None,
    threads: int | None = None,
) -> list[Slot]:
    """Places for runs at once, each with an equal share of the cores.

    By themselves there are on the CPU as many as there are cores for, if so many runs are waiting: one thread each
    when there are at least as many runs as cores, all of them for a single one. On GPUs there is one for each GPU.

    >>> cpu = [torch.device("cpu")]
    >>> slots_of(100, [0, 1], cpu)
    [Slot(cores=(0,), threads=1, device=device(type='cpu')), Slot(cores=(1,), threads=1, device=device(type='cpu'))]
    >>> [slot.cores for slot in slots_of(1, [0, 1], cpu)], [slot.cores for slot in slots_of(2, range(5), cpu)]
    ([(0, 1)], [(0, 1), (2, 3)])

    Args:
        waiting: how many runs are left to do.
        cores: the numbers of those there are; a run without a core of its own shares one.
        devices: the CPU, or the GPUs that may be used.
        jobs: how many at once; None is by itself, and for 0 there is no place.
        jobs_per_gpu: how many share a GPU; None is one.
        threads: of each run; None is one for each of its cores.

    Raises:
        ConfigError: `jobs_per_gpu` without a GPU, or together with `jobs`.
    """
    on_gpu = devices[0].type == "cuda"
    if jobs_per_gpu is not None and not on_gpu:
        raise ConfigError(f"--jobs-per-gpu is for GPUs, and the runs train on {devices[0]}; use --jobs.")
    if jobs_per_gpu is not None and jobs is not None:
        raise ConfigError("--jobs and --jobs-per-gpu both say how many runs train at once; leave one out.")
    if jobs is None:
        most = max(1, len(cores) // (threads or 1)) if devices[0].type == "cpu" else len(devices) * (jobs_per_gpu or 1)
        jobs = max(1, min(waiting, most))
    if jobs == 0:
        return []
    share = max(1, len(cores) // jobs)
    groups = [tuple(cores[i % len(cores)] for i in range(n * share, (n + 1) * share)) for n in range(jobs)]
    return [Slot(group, threads or len(group), devices[n % len(devices)]) for n, group in enumerate(groups)]


def available_cores() -> list[int]:
    """The numbers of the cores that this process may use.

    >>> len(available_cores()) >= 1
    True
    """
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def devices_like(device: torch.device) -> list[torch.device]:
    """All devices that a user means by one: every GPU for `cuda`, that one alone for `cuda:1`.

    >>> devices_like(torch.device("cpu")), devices_like(torch.device("cuda:1"))
    ([device(type='cpu')], [device(type='cuda', index=1)])
    """
    if device.type == "cuda" and device.index is None:
        return [torch.device("cuda", index) for index in range(torch.cuda.device_count())] or [device]
    return [device]
