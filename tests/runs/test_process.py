"""Processes told apart."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from samcli.runs.process import exists, start_of, this_machine


def test_a_process_that_ended_does_not_exist() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    began = start_of(child.pid)
    assert exists(child.pid)
    child.communicate(b"\n")
    assert not exists(child.pid)
    assert start_of(child.pid) is None
    if sys.platform == "linux":
        assert began is not None
        assert int(began) >= int(start_of(os.getpid()) or 0)  # in clock ticks since the boot


@pytest.mark.parametrize("number", [0, -1, 2**31, 2**63])
def test_odd_numbers_are_no_process(number: int) -> None:
    assert not exists(number)


def test_children_are_on_this_machine() -> None:
    command = [sys.executable, "-c", "from samcli.runs.process import this_machine; print(this_machine())"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == this_machine()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the system does not tell the state of a process")
def test_a_killed_process_that_nobody_asks_about_is_gone() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    child.kill()
    try:
        until = time.monotonic() + 20
        while exists(child.pid) and time.monotonic() < until:
            time.sleep(0.01)
        os.kill(child.pid, 0)  # its number is still there
        assert not exists(child.pid)
    finally:
        child.wait()
