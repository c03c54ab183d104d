"""A run of two processes: the same numbers as of one, and nobody left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pandas
import pytest
import torch
from small_run import MakeConfig, Places

from samcli.errors import ConfigError, Interrupted, ProcessError
from samcli.runs import EpochMetrics, checkpoint
from samcli.runs.folder import RunFolder
from samcli.train import partner, train_run

pytestmark = pytest.mark.skipif(not torch.distributed.is_available(), reason="torch is built without torch.distributed")

COLUMNS = ["train_loss", "train_accuracy", "test_loss", "test_accuracy", "sharpness", "grad_norm", "skipped_steps"]
TEXT = """
name: two
dataset: {name: digits, train_examples: 150, augment: [crop]}
model: {name: cnn, dropout: 0.2}
epochs: 3
batch_size: 32
sharpness: {examples: 50}
optimizer: {name: sampa, lr: 0.05, rho: 0.1, processes: 2}
"""


@pytest.fixture
def two_threads() -> Iterator[None]:
    """Two threads of torch, one for each process."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Every second process that was started."""
    found: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def start(command: str | list[str], *args: Any, **kwargs: Any) -> subprocess.Popen[bytes]:
        process = popen(command, *args, **kwargs)
        if "partner" in str(command):
            found.append(process)
        return process

    monkeypatch.setattr(subprocess, "Popen", start)
    return found


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """The run in one process, of one thread."""
    from samcli.config import Draft, parse
    from samcli.train import CATALOGUE

    (config,) = Draft.of(parse(TEXT.replace("processes: 2", "processes: 1"), "alone.yaml"), CATALOGUE).expand()
    path = tmp_path_factory.mktemp("alone")
    assert torch.get_num_threads() == 1
    train_run(config, RunFolder(path / "run"), data_dir=path / "data", device=torch.device("cpu"))
    return RunFolder(path / "run")


def check_gone(process: subprocess.Popen[bytes]) -> None:
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)
    assert not torch.distributed.is_initialized()
    assert torch.get_num_threads() == 2


def test_interrupted_and_bereft_and_continued_equals_one_process(
    config_of: MakeConfig,
    places: Places,
    tmp_path: Path,
    alone: RunFolder,
    two_threads: None,
    started: list[subprocess.Popen[bytes]],
) -> None:
    config, folder = config_of(text=TEXT), RunFolder(tmp_path / "run")

    def stop(row: EpochMetrics) -> None:
        assert torch.get_num_threads() == 1
        raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="the same command continues"):
        train_run(config, folder, on_epoch=stop, **places)
    assert folder.read_status()["epochs_done"] == 1
    check_gone(started[0])

    def kill(row: EpochMetrics) -> None:
        started[1].kill()

    begin = time.monotonic()
    with pytest.raises(ProcessError, match="was ended by signal 9; the same command continues from the last epoch"):
        train_run(config, folder, on_epoch=kill, **places)
    assert time.monotonic() - begin < 60
    check_gone(started[1])
    status = folder.read_status()
    assert (status["status"], status["epochs_done"]) == ("interrupted", 2)
    assert "\n" not in status["error"]

    assert train_run(config, folder, **places) == "finished"
    check_gone(started[2])
    assert len(started) == 3
    a, b = (pandas.read_csv(f.metrics)[COLUMNS] for f in (alone, folder))
    assert len(b) == 3
    pandas.testing.assert_frame_equal(a, b, check_exact=True)
    one, two = (pandas.read_csv(f.metrics)["gradient_evaluations"] for f in (alone, folder))
    assert (one - two).between(0, 32).all()  # the climb from the latest batch is still to come
    first, second = (checkpoint.load(f.checkpoint)["model"] for f in (alone, folder))
    assert all(torch.equal(first[name], second[name]) for name in first)
    files = sorted(file.name for file in folder.path.iterdir())
    assert files == ["checkpoint.pt", "config.yaml", "confusion.csv", "metrics.csv", "run.json"]


def test_a_partner_that_cannot_begin_says_why(
    config_of: MakeConfig, places: Places, tmp_path: Path, two_threads: None, started: list[subprocess.Popen[bytes]]
) -> None:
    config, folder = config_of(text=TEXT), RunFolder(tmp_path / "run")
    folder.path.mkdir()
    folder.config.write_text("modle: cnn")
    with (
        pytest.raises(ProcessError, match=r"stopped \(.*unknown key 'modle'; did you mean model\?\); the same command"),
        partner.partner(config, folder, places["data_dir"]),
    ):
        raise AssertionError("There is nobody to train with.")
    check_gone(started[0])


def test_an_error_of_the_first_process_stays_as_it_is(
    config_of: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(folder: RunFolder, data_dir: Path, meeting: Path) -> AbstractContextManager[None]:
        (meeting / "ready").touch()
        return nullcontext()

    monkeypatch.setattr(partner, "_started", nobody)
    monkeypatch.setattr(partner, "joined", lambda meeting, rank: nullcontext())
    with (
        pytest.raises(RuntimeError, match="out of luck"),
        partner.partner(config_of(text=TEXT), RunFolder(tmp_path / "run"), tmp_path),
    ):
        raise RuntimeError("out of luck")


def test_is_for_the_cpu(config_of: MakeConfig, two_threads: None) -> None:
    with (
        pytest.raises(ConfigError, match="sampa with processes: 2 trains on the CPU only; use --device cpu"),
        partner.halved_threads(config_of(text=TEXT), torch.device("cuda")),
    ):
        raise AssertionError("This is no CPU.")
    assert torch.get_num_threads() == 2


def test_other_runs_stay_alone(
    config_of: MakeConfig, tmp_path: Path, two_threads: None, started: list[subprocess.Popen[bytes]]
) -> None:
    config = config_of("optimizer.processes=1", text=TEXT)
    folder = RunFolder(tmp_path / "run")
    with partner.halved_threads(config, torch.device("cuda")), partner.partner(config, folder, tmp_path):
        assert torch.get_num_threads() == 2
    assert not started


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds the second process in /proc")
def test_ctrl_c_at_the_command_leaves_nobody(tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text(TEXT.replace("epochs: 3", "epochs: 5000"))
    command = subprocess.Popen(
        [sys.executable, "-m", "samcli", "train", "two.yaml", "--device", "cpu"],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1", "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        # a shell that runs the tests in the background hands down an ignored SIGINT
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - async-signal-safe
    )
    try:
        wait_until(lambda: any(tmp_path.glob("results/two/*/checkpoint.pt")))
        (claim,) = tmp_path.glob("results/two/*/.owner.json")
        first = json.loads(claim.read_text())["pid"]
        (second,) = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        assert any(tmp_path.glob("samcli-*"))
        for process in (int(second), first, command.pid):  # as a terminal does
            os.kill(process, signal.SIGINT)
        err = command.communicate(timeout=120)[1]
    finally:
        command.kill()
    assert command.returncode == 75, err
    assert b"Traceback" not in err
    assert not Path(f"/proc/{second}").exists()
    assert not any(tmp_path.glob("samcli-*"))


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds the second process in /proc")
def test_a_partner_whose_parent_is_killed_ends(tmp_path: Path, alone: RunFolder) -> None:
    """It ends even while it waits for the first process to join; a shell stands for that one."""
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    python = f'"{sys.executable}" -c "from samcli.train.partner import main; main()"'
    script = f'{python} "{alone.path}" "{tmp_path}" "{meeting}" 1 $$ & echo $!; wait'
    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as shell:
        assert shell.stdout is not None
        second = int(shell.stdout.readline())
        wait_until((meeting / "store").exists)
        shell.kill()
    wait_until(lambda: not Path(f"/proc/{second}").exists())
    assert not meeting.exists()


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 240
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_both_stop_at_a_training_loss(
    config_of: MakeConfig, places: Places, tmp_path: Path, two_threads: None, started: list[subprocess.Popen[bytes]]
) -> None:
    """Neither is left waiting for the other: the loss of an untrained network is below 5."""
    folder = RunFolder(tmp_path / "run")
    config = config_of("schedule=constant", "epochs=20", "stop_at_train_loss=5", text=TEXT)
    assert train_run(config, folder, **places) == "finished"
    assert len(folder.read_metrics()) == 1
    check_gone(started[0])
