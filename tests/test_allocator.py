"""Whether freed memory is kept is seen in the page faults of the process."""

import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
from samcli.allocator import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
import torch
torch.set_num_threads(1)
def passes(n):
    for _ in range(n):
        for _ in range(4):
            torch.ones(2**21).mul_(2.0)  # 8 MiB
passes(3)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
passes(10)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    result = subprocess.run([sys.executable, "-c", FAULTS, how], capture_output=True, text=True, check=True)
    return int(result.stdout)


def has_glibc() -> bool:
    return sys.platform.startswith("linux") and "glibc" in __import__("platform").libc_ver()[0]


@pytest.mark.skipif(not has_glibc(), reason="only glibc gives memory back so eagerly")
def test_large_tensors_meet_pages_that_are_there_already() -> None:
    kept = faults("keep")
    assert kept < 2048  # 40 tensors of 2048 pages each would be 81920
