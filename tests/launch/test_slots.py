"""Cores, threads and GPUs are shared out among runs that train at once."""

import pytest
import torch

from samcli.errors import ConfigError
from samcli.launch.slots import slots_of

CPU = [torch.device("cpu")]
GPUS = [torch.device("cuda", index) for index in range(2)]


@pytest.mark.parametrize(
    ("jobs", "cores", "groups"),
    [(1, 4, [(0, 1, 2, 3)]), (2, 4, [(0, 1), (2, 3)]), (3, 4, [(0,), (1,), (2,)]), (3, 2, [(0,), (1,), (0,)])],
)
def test_cores_are_shared_out(jobs: int, cores: int, groups: list[tuple[int, ...]]) -> None:
    slots = slots_of(100, range(cores), CPU, jobs=jobs)
    assert [slot.cores for slot in slots] == groups
    assert [slot.threads for slot in slots] == [len(group) for group in groups]
    assert {slot.threads for slot in slots_of(100, range(cores), CPU, jobs=jobs, threads=7)} == {7}


@pytest.mark.parametrize(
    ("waiting", "threads", "expected"),
    [(100, None, [1] * 8), (1, None, [8]), (3, None, [2] * 3), (0, None, [8]), (100, 3, [3, 3])],
)
def test_by_themselves_they_fill_the_cores(waiting: int, threads: int | None, expected: list[int]) -> None:
    slots = slots_of(waiting, range(8), CPU, threads=threads)
    assert [slot.threads for slot in slots] == expected
    cores = [core for slot in slots for core in slot.cores]
    assert len(set(cores)) == len(cores)  # none is shared


def test_each_job_has_a_gpu_or_shares_it() -> None:
    assert [slot.device for slot in slots_of(100, range(8), GPUS)] == GPUS
    assert [slot.device for slot in slots_of(100, range(8), GPUS, jobs_per_gpu=2)] == GPUS * 2
    assert [slot.device for slot in slots_of(1, range(8), GPUS, jobs_per_gpu=2)] == GPUS[:1]
    assert [slot.device for slot in slots_of(100, range(8), GPUS, jobs=3)] == [*GPUS, GPUS[0]]
    assert len(slots_of(100, range(8), [torch.device("mps")])) == 1
    with pytest.raises(ConfigError, match="--jobs-per-gpu is for GPUs, and the runs train on cpu; use --jobs"):
        slots_of(2, range(8), CPU, jobs_per_gpu=2)
    with pytest.raises(ConfigError, match="leave one out"):
        slots_of(2, range(8), GPUS, jobs=2, jobs_per_gpu=2)


def test_there_is_none_for_no_jobs() -> None:
    assert slots_of(3, range(8), CPU, jobs=0) == []
