"""One run on two processes, as a user starts them: by --processes and by torchrun, stopped and bereft on the way."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas
import pytest
import torch
from real_command import wait_for_rows
from small_run import TIMES

from samcli.config import Draft, parse
from samcli.runs.folder import RunFolder
from samcli.train import CATALOGUE, train_run

pytestmark = [
    pytest.mark.skipif(not torch.distributed.is_available(), reason="torch is built without torch.distributed"),
    pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes in /proc"),
]

EXPERIMENT = """
name: e2e
dataset: {name: digits, train_examples: 200, augment: [crop]}
model: cnn
epochs: 12
batch_size: 16
sharpness: {every: 5, examples: 64}
optimizer: {name: sam, lr: 0.05, rho: 0.1, m: 8}
"""
COMMAND = ["-m", "samcli", "train", "e2e.yaml", "--device", "cpu"]
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--max-restarts", "1"]


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    (folder / "e2e.yaml").write_text(EXPERIMENT)
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", "TMPDIR": str(folder), "PYTHONFAULTHANDLER": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def folder_of(results: Path) -> RunFolder:
    (folder,) = results.glob("e2e/*/")
    return RunFolder(folder)


def alive(folder: Path, *variables: str) -> list[int]:
    """The processes that were started in a folder, here or by one that was, with such variables."""
    wanted, found = {f"TMPDIR={folder}", *variables}, []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_text(errors="replace").split("\0")
        except OSError:  # another user's, or ended meanwhile
            continue
        if wanted <= set(environment):
            found.append(int(process.name))
    return found


def wait_for_end(folder: Path) -> None:
    """The server that runs are forked from ends a moment after the command."""
    end = time.monotonic() + 30
    while alive(folder):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_begun_by_processes_and_continued_by_torchrun_equals_one_process(tmp_path: Path) -> None:
    process = start(tmp_path, *COMMAND, "--processes", "2", "--threads", "2")
    wait_for_rows(tmp_path, "results", 2, process)
    os.killpg(process.pid, signal.SIGTERM)  # as a scheduler does: the epoch under way is finished by both
    _, err = process.communicate(timeout=100)
    assert process.returncode == 75, err
    wait_for_end(tmp_path)
    (path,) = tmp_path.glob("results/e2e/*/")
    folder = RunFolder(path)
    status = folder.read_status()
    assert (status["status"], status["processes"]) == ("interrupted", 2)
    done = len(pandas.read_csv(folder.metrics))
    assert done == status["epochs_done"] < 12

    process = start(tmp_path, *TORCHRUN, *COMMAND)
    wait_for_rows(tmp_path, "results", done + 1, process)
    (second,) = alive(tmp_path, "RANK=1")
    os.kill(second, signal.SIGKILL)
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    assert err.count(f"continuing after epoch {done}\n") == 1  # rank 0 alone speaks
    assert err.count("continuing after epoch") == 2
    assert 1 <= out.count("digits, cnn: test accuracy in %") <= 2  # torchrun may end it before it compares
    wait_for_end(tmp_path)
    files = {file.name for file in path.iterdir()}
    assert files == {"checkpoint.pt", "config.yaml", "confusion.csv", "log.txt", "metrics.csv", "run.json"}

    (config,) = Draft.of(parse(EXPERIMENT, "e2e.yaml"), CATALOGUE).expand()
    alone = RunFolder(tmp_path / "alone")
    train_run(config, alone, data_dir=tmp_path / "data", device=torch.device("cpu"))
    first, second_ = (pandas.read_csv(f.metrics).drop(columns=TIMES) for f in (alone, folder))
    assert len(first) == 12
    pandas.testing.assert_frame_equal(first, second_, rtol=1e-3, atol=1e-4)
