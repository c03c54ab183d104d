"""The real command in a process of its own: stopped by Ctrl-C, by a terminating scheduler, by a kill; and continued."""

import json
import signal
from pathlib import Path

import pandas
import pytest
import torch
from real_command import EXPERIMENT, start, wait_for_rows
from small_run import TIMES


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    process = start(folder, "results")
    err = process.communicate(timeout=400)[1]
    assert process.returncode == 0, err
    assert "e2e" in err
    (run,) = folder.glob("results/e2e/*")
    return run


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 75), (signal.SIGTERM, 75), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_stopped_and_continued_equals_uninterrupted(tmp_path: Path, whole: Path, number: int, code: int):
    process = start(tmp_path, "results")
    wait_for_rows(tmp_path, "results", 3, process)
    process.send_signal(number)
    err = process.communicate(timeout=240)[1]
    assert process.returncode == code, err
    (run,) = tmp_path.glob("results/e2e/*")
    rows = len((run / "metrics.csv").read_text().splitlines()) - 1
    assert 3 <= rows < 12
    if number != signal.SIGKILL:
        assert "the same command continues" in err
        assert "Traceback" not in err
        assert "Finishing the epoch under way of 1 run. One more Ctrl-C stops at once." in err
    again = start(tmp_path, "results")
    err = again.communicate(timeout=400)[1]
    assert again.returncode == 0, err
    assert "continuing after epoch" in err
    a, b = (pandas.read_csv(folder / "metrics.csv").drop(columns=TIMES) for folder in (whole, run))
    pandas.testing.assert_frame_equal(a, b, check_exact=True)
    first, second = (torch.load(folder / "checkpoint.pt", weights_only=True) for folder in (whole, run))
    for name, tensor in first["model"].items():
        assert torch.equal(tensor, second["model"][name]), name
    # nothing but what belongs in the folder: what a killed process left is removed
    names = ["checkpoint.pt", "config.yaml", "confusion.csv", "log.txt", "metrics.csv", "run.json"]
    assert sorted(file.name for file in run.iterdir()) == names


def test_two_processes_share_an_experiment(tmp_path: Path) -> None:
    """Each run is trained once, by whoever comes first; nothing is lost and no start is refused."""
    text = EXPERIMENT.replace("optimizer:", "seeds: 0-5\noptimizer:").replace("epochs: 12", "epochs: 3")
    both = [start(tmp_path, "results", text) for _ in range(2)]
    told = [process.communicate(timeout=400)[1] for process in both]
    assert all("Traceback" not in err for err in told)
    assert {process.returncode for process in both} == {0}, told  # each waits for what the other one has
    runs = list(tmp_path.glob("results/e2e/*"))
    assert len(runs) == 6
    statuses = [json.loads((run / "run.json").read_text()) for run in runs]
    assert [(status["status"], status["epochs_done"]) for status in statuses] == [("finished", 3)] * 6
    assert all(len((run / "metrics.csv").read_text().splitlines()) == 4 for run in runs)
    assert "\n".join(told).count("epoch 3/3") == 6, told
    assert len({status["pid"] for status in statuses}) == 6
