"""A run whose batches two processes share: the numbers of one, one set of files, and nobody left behind."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas
import pytest
import torch
from small_run import TIMES, MakeConfig, Places

from samcli.errors import Interrupted, ProcessError
from samcli.runs import EpochMetrics, checkpoint
from samcli.runs.folder import RunFolder
from samcli.train import train_run

pytestmark = pytest.mark.skipif(not torch.distributed.is_available(), reason="torch is built without torch.distributed")

TEXT = """
name: shared
dataset: {name: digits, train_examples: 150, augment: [crop, flip, random-erasing, cutout]}
model: {name: cnn}
epochs: 3
batch_size: 32
clip_norm: 1.0
mixup: 0.2
accumulate: 2
sharpness: {examples: 50}
optimizer: {name: sam, lr: 0.05, rho: 0.1}
"""
NORMALISED = """
name: normalised
dataset: {name: digits, train_examples: 64}
model: {name: resnet20}
epochs: 1
batch_size: 32
sharpness: {every: 0}
optimizer: {name: sam, lr: 0.05, rho: 0.1}
"""


@pytest.fixture
def two_threads() -> Iterator[None]:
    """Two threads of torch, one for each process."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Every other rank that was started."""
    found: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def start(command: str | list[str], *args: Any, **kwargs: Any) -> subprocess.Popen[bytes]:
        process = popen(command, *args, **kwargs)
        if "samcli.train.ranks" in str(command):
            found.append(process)
        return process

    monkeypatch.setattr(subprocess, "Popen", start)
    return found


def rows_of(folder: RunFolder) -> pandas.DataFrame:
    return pandas.read_csv(folder.metrics).drop(columns=TIMES)


def check_gone(process: subprocess.Popen[bytes]) -> None:
    assert process.poll() is not None
    assert not torch.distributed.is_initialized()


def test_two_processes_equal_one_up_to_rounding_whatever_happens(
    config_of: MakeConfig,
    places: Places,
    tmp_path: Path,
    two_threads: None,
    started: list[subprocess.Popen[bytes]],
) -> None:
    """In float32, so that what rounds differently stays below 1e-4 of a loss after three epochs."""
    config, whole, folder = config_of(text=TEXT), RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "run")
    assert train_run(config, whole, processes=2, **places) == "finished"

    def kill(row: EpochMetrics) -> None:
        assert torch.get_num_threads() == 1
        started[1].kill()

    begin = time.monotonic()
    with pytest.raises(
        ProcessError, match=r"Process 2 of the 2 of the run was ended by signal 9; the same command continues"
    ):
        train_run(config, folder, processes=2, on_epoch=kill, **places)
    assert time.monotonic() - begin < 60
    check_gone(started[1])
    status = folder.read_status()
    assert (status["status"], status["epochs_done"], status["processes"]) == ("interrupted", 1, 2)

    assert train_run(config, folder, processes=2, **places) == "finished"
    check_gone(started[2])
    pandas.testing.assert_frame_equal(rows_of(whole), rows_of(folder), check_exact=True)
    first, second = (checkpoint.load(f.checkpoint)["model"] for f in (whole, folder))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert sorted(f.name for f in folder.path.iterdir()) == [
        "checkpoint.pt",
        "config.yaml",
        "confusion.csv",
        "metrics.csv",
        "run.json",
    ]

    alone = RunFolder(tmp_path / "alone")
    assert train_run(config, alone, **places) == "finished"
    assert len(started) == 3
    pandas.testing.assert_frame_equal(rows_of(alone), rows_of(whole), rtol=1e-4, atol=1e-5)
    assert alone.read_status()["processes"] == 1


def test_two_processes_hold_the_same_average(
    config_of: MakeConfig, places: Places, tmp_path: Path, two_threads: None
) -> None:
    """Also after a stop; it is that of one process up to rounding, as the rows are."""
    config = config_of("optimizer.average=ema", "optimizer.average_decay=0.9", "epochs=2", text=TEXT)
    folder, alone = RunFolder(tmp_path / "run"), RunFolder(tmp_path / "alone")
    done: list[EpochMetrics] = []
    with pytest.raises(Interrupted):
        train_run(config, folder, processes=2, on_epoch=done.append, should_stop=lambda: bool(done), **places)
    assert train_run(config, folder, processes=2, **places) == "finished"
    assert train_run(config, alone, **places) == "finished"
    pandas.testing.assert_frame_equal(rows_of(alone), rows_of(folder), rtol=1e-4, atol=1e-5)
    first, second = (checkpoint.load(f.checkpoint) for f in (folder, alone))
    assert first["average"]["networks"] == second["average"]["networks"] == 2 * 5
    for name, tensor in first["model"].items():
        torch.testing.assert_close(tensor, second["model"][name], rtol=1e-3, atol=1e-5)


def test_batch_norm_synchronised_on_request(
    config_of: MakeConfig, places: Places, tmp_path: Path, two_threads: None
) -> None:
    found: dict[str, dict[str, torch.Tensor]] = {}
    for name, processes, synchronised in (("alone", 1, "false"), ("synchronised", 2, "true")):
        config = config_of(f"sync_batch_norm={synchronised}", text=NORMALISED)
        folder = RunFolder(tmp_path / name)
        train_run(config, folder, processes=processes, **places)
        found[name] = checkpoint.load(folder.checkpoint)["model"]
    for name, value in found["alone"].items():
        torch.testing.assert_close(found["synchronised"][name], value, rtol=1e-2, atol=1e-3)


def test_weights_of_classes_are_those_of_the_whole_batch(
    config_of: MakeConfig, places: Places, tmp_path: Path, two_threads: None
) -> None:
    """Each process sees classes in shares of its own; mixed targets divide by the examples, others by weights."""
    text = TEXT.replace("mixup: 0.2", "class_weight: balanced").replace("accumulate: 2\n", "")
    config = config_of("dataset.label_noise=0.3", text=text)
    alone, shared = RunFolder(tmp_path / "alone"), RunFolder(tmp_path / "shared")
    for processes, folder in ((1, alone), (2, shared)):
        assert train_run(config, folder, processes=processes, **places) == "finished"
    pandas.testing.assert_frame_equal(rows_of(alone), rows_of(shared), rtol=1e-4, atol=1e-5)


def test_a_rank_that_cannot_begin_says_why(
    config_of: MakeConfig, places: Places, tmp_path: Path, two_threads: None
) -> None:
    config = dataclasses.replace(config_of(text=TEXT), plugins=(str(tmp_path / "gone.py"),))
    with pytest.raises(ProcessError, match=r"Process 2 of the 2 of the run stopped \(.*gone\.py.*\); the same command"):
        train_run(config, RunFolder(tmp_path / "run"), processes=2, **places)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds the other process in /proc")
def test_a_rank_whose_leader_is_killed_ends(tmp_path: Path) -> None:
    """It ends even while it waits for the first process to join; a shell stands for that one."""
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    python = f'"{sys.executable}" -c "from samcli.train.ranks import main; main()"'
    script = f'{python} "{meeting}" 1 2 gloo 1 $$ & echo $!; wait'
    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as shell:
        assert shell.stdout is not None
        other = int(shell.stdout.readline())
        wait_until((meeting / "store").exists)
        os.kill(other, signal.SIGTERM)  # which is rank 0's to take
        time.sleep(0.2)
        assert Path(f"/proc/{other}").exists()
        shell.kill()
    wait_until(lambda: not Path(f"/proc/{other}").exists())
    assert not meeting.exists()


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
