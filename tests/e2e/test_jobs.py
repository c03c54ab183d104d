"""The real command with several runs at once: stopped, killed, and continued."""

import os
import signal
import time
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
    process = start(folder, "results", GRID)  # one after the other
    err = process.communicate(timeout=120)[1]
    assert process.returncode == 0, err
    return folder / "results" / "e2e"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 75), (signal.SIGKILL, -signal.SIGKILL)])
def test_two_at_once_stopped_and_continued_are_those_of_one(
    tmp_path: Path, whole: Path, number: int, code: int
) -> None:
    process = start(tmp_path, "results", GRID, "--jobs", "2", "--threads", "1")
    wait_for_rows(tmp_path, "results", 3, process)
    process.send_signal(number)
    err = process.communicate(timeout=60)[1]
    assert process.returncode == code, err
    if number == signal.SIGINT:
        assert "the same command continues every run" in err
    end = time.monotonic() + 60
    while list(tmp_path.glob("results/e2e/*/.owner.json")) and time.monotonic() < end:
        time.sleep(0.1)  # the runs of a killed command save what they finished, and end
    again = start(tmp_path, "results", GRID, "--jobs", "2", "--threads", "1")
    err = again.communicate(timeout=120)[1]
    assert again.returncode == 0, err
    assert "continuing after epoch" in err
    folders = sorted(whole.iterdir())
    assert len(folders) == 3
    for one in folders:
        other = tmp_path / "results" / "e2e" / one.name
        a, b = (pandas.read_csv(folder / "metrics.csv").drop(columns=TIMES) for folder in (one, other))
        pandas.testing.assert_frame_equal(a, b, check_exact=True)
        first, second = (torch.load(folder / "checkpoint.pt", weights_only=True)["model"] for folder in (one, other))
        assert all(torch.equal(first[name], second[name]) for name in first)
        names = ["checkpoint.pt", "config.yaml", "log.txt", "metrics.csv", "run.json"]
        assert sorted(file.name for file in other.iterdir()) == names


def test_a_killed_command_leaves_no_process(tmp_path: Path) -> None:
    process = start(tmp_path, "results", GRID.replace("epochs: 12", "epochs: 500"), "--jobs", "2")
    wait_for_rows(tmp_path, "results", 2, process)
    pids = [int(file.read_text().split('"pid": ')[1].split(",")[0]) for file in owners(tmp_path)]
    assert pids
    process.kill()
    process.communicate(timeout=60)
    end = time.monotonic() + 60
    while any(is_alive(pid) for pid in pids) and time.monotonic() < end:
        time.sleep(0.1)
    assert not any(is_alive(pid) for pid in pids)


def owners(folder: Path) -> list[Path]:
    return list(folder.glob("results/e2e/*/.owner.json"))


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
