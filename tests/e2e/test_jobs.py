"""The real command with several runs at once: stopped, killed, and continued."""

import json
import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pandas
import pytest
import torch
from real_command import EXPERIMENT, start, wait_for_rows
from small_run import TIMES

GRID = EXPERIMENT.replace("optimizer:", "seeds: 0-2\noptimizer:")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    process = start(folder, "results", GRID, "--jobs", "0")  # one after the other, in the command's process
    err = process.communicate(timeout=240)[1]
    assert process.returncode == 0, err
    return folder / "results" / "e2e"


def check_equal(whole: Path, other: Path) -> None:
    """Rows and weights of the runs in a folder are those of the undisturbed ones, and nothing is left beside them."""
    folders = sorted(whole.iterdir())
    assert len(folders) == 3
    for one in folders:
        a, b = (pandas.read_csv(folder / "metrics.csv").drop(columns=TIMES) for folder in (one, other / one.name))
        pandas.testing.assert_frame_equal(a, b, check_exact=True)
        first, second = (
            torch.load(folder / "checkpoint.pt", weights_only=True)["model"] for folder in (one, other / one.name)
        )
        assert all(torch.equal(first[name], second[name]) for name in first)
        names = ["checkpoint.pt", "config.yaml", "confusion.csv", "log.txt", "metrics.csv", "run.json"]
        assert sorted(file.name for file in (other / one.name).iterdir()) == names


@pytest.mark.parametrize(
    ("numbers", "code"),
    [
        ((signal.SIGINT,), 75),
        ((signal.SIGTERM, signal.SIGTERM), 75),
        ((signal.SIGHUP,), 75),  # to all processes, as a terminal that is closed sends it
        ((signal.SIGKILL,), -signal.SIGKILL),
    ],
)
def test_stopped_and_continued_are_those_of_one(
    tmp_path: Path, whole: Path, numbers: tuple[int, ...], code: int
) -> None:
    process = start(tmp_path, "results", GRID, "--jobs", "2", "--threads", "1", own_session=True)
    wait_for_rows(tmp_path, "results", 3, process)
    for number in numbers:
        os.killpg(process.pid, number) if number == signal.SIGHUP else process.send_signal(number)
        time.sleep(1.2)  # what comes within a second is one request
    err = process.communicate(timeout=240)[1]
    assert process.returncode == code, err
    if code == 75:
        assert "Finishing the epoch under way of 2 runs. One more Ctrl-C stops at once." in err
        assert "the same command continues every run" in err
        statuses = [json.loads(file.read_text()) for file in tmp_path.glob("results/e2e/*/run.json")]
        assert {status["status"] for status in statuses} == {"interrupted"}
    # the second command waits for runs that a killed one still saves
    again = start(tmp_path, "results", GRID, "--jobs", "2", "--threads", "1")
    err = again.communicate(timeout=240)[1]
    assert again.returncode == 0, err
    assert "continuing after epoch" in err
    check_equal(whole, tmp_path / "results" / "e2e")


def test_a_second_request_ends_the_epoch_under_way(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    text = GRID.replace("model: {name: cnn, dropout: 0.2}", "model: 'slow.py:slow'")
    process = start(tmp_path, "results", text, "--jobs", "2")
    end = time.monotonic() + 60
    while not any((tmp_path / "results").glob("e2e/*/run.json")) and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=3)  # an epoch takes minutes
    process.send_signal(signal.SIGINT)
    err = process.communicate(timeout=30)[1]
    assert process.returncode == 75, err
    assert "Traceback" not in err


SLOW = """
import time
from dataclasses import dataclass
from torch import nn
from samcli.models import MODELS, ModelKind

class Net(nn.Sequential):
    def forward(self, x):
        time.sleep(5.0 * self.training)
        return super().forward(x)

@MODELS.register("slow")
@dataclass(frozen=True, kw_only=True)
class Slow(ModelKind):
    'Waits.'

    def build(self, shape, outputs):
        return Net(nn.Flatten(), nn.Linear(64, outputs))
"""


def test_a_killed_command_leaves_no_process(tmp_path: Path) -> None:
    process = start(tmp_path, "results", GRID.replace("epochs: 12", "epochs: 500"), "--jobs", "2")
    wait_for_rows(tmp_path, "results", 2, process)
    pids = [int(json.loads(file.read_text())["pid"]) for file in tmp_path.glob("results/e2e/*/.owner.json")]
    assert pids
    process.kill()
    process.communicate(timeout=240)
    end = time.monotonic() + 60
    while any(is_alive(pid) for pid in pids) and time.monotonic() < end:
        time.sleep(0.1)
    assert not any(is_alive(pid) for pid in pids)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def fork_server_of(process: subprocess.Popen[str]) -> int:
    """The process that a command forks its runs from."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parent = stat.read_text().rpartition(")")[2].split()[1]
            if int(parent) == process.pid and b"multiprocessing.forkserver" in (stat.parent / "cmdline").read_bytes():
                return int(stat.parent.name)
    raise AssertionError("there is none")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the processes of this system cannot be listed")
def test_runs_outlive_the_server_that_they_were_forked_from(tmp_path: Path, whole: Path) -> None:
    process = start(tmp_path, "results", GRID, "--jobs", "2", "--threads", "1")
    wait_for_rows(tmp_path, "results", 3, process)
    os.kill(fork_server_of(process), signal.SIGKILL)
    err = process.communicate(timeout=240)[1]
    assert process.returncode == 0, err
    assert "failed" not in err
    check_equal(whole, tmp_path / "results" / "e2e")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the processes of this system cannot be listed")
@pytest.mark.parametrize("requests", [1, 2])
def test_runs_without_their_server_can_be_stopped(tmp_path: Path, requests: int) -> None:
    process = start(tmp_path, "results", GRID, "--jobs", "2", "--threads", "1")
    wait_for_rows(tmp_path, "results", 3, process)
    os.kill(fork_server_of(process), signal.SIGKILL)
    time.sleep(0.5)  # for the command to see it
    for _ in range(requests):
        process.send_signal(signal.SIGINT)
        time.sleep(1.2)
    err = process.communicate(timeout=60)[1]
    assert process.returncode == 75, err
    assert "failed" not in err
    statuses = [json.loads(file.read_text())["status"] for file in tmp_path.glob("results/e2e/*/run.json")]
    assert len(statuses) >= 2
    assert set(statuses) == {"interrupted"}
