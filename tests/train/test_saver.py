"""What is saved is the state at the call, all of it by the end, and an error is not lost."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from samcli.errors import ResultsError, RunBlocked, RunLost
from samcli.runs import checkpoint
from samcli.runs.folder import RunFolder
from samcli.train import saver as saver_module
from samcli.train.saver import Saver


def state(weight: torch.Tensor, epoch: int) -> dict[str, Any]:
    return {"model": {"w": weight}, "epoch": epoch, "rows": [{"epoch": e + 1, "train_loss": 0.5} for e in range(epoch)]}


def test_the_state_is_that_of_the_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Training goes on meanwhile and changes the weights in place."""
    may_write = threading.Event()
    write = saver_module.write_atomic

    def later(*arguments: Any) -> None:
        assert may_write.wait(10)
        write(*arguments)

    monkeypatch.setattr(saver_module, "write_atomic", later)
    folder, weight, rows = RunFolder(tmp_path), torch.zeros(3), state(torch.zeros(1), 1)
    with Saver(folder, {"status": "running"}) as saver:
        rows["model"]["w"] = weight
        saver.save(rows)
        weight.add_(1.0)
        rows["rows"].append({"epoch": 2, "train_loss": 0.1})
        assert not folder.checkpoint.exists()
        may_write.set()
    assert torch.equal(checkpoint.load(folder.checkpoint)["model"]["w"], torch.zeros(3))
    assert folder.metrics.read_text().count("\n") == 2
    assert folder.read_status()["epochs_done"] == 1


def test_all_is_written_when_the_block_is_interrupted(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    with pytest.raises(KeyboardInterrupt), Saver(folder, {"status": "running"}) as saver:
        for epoch in (1, 2, 3):
            saver.save(state(torch.full((3,), float(epoch)), epoch))
        raise KeyboardInterrupt
    assert checkpoint.load(folder.checkpoint)["epoch"] == 3
    assert folder.read_status()["epochs_done"] == 3


def test_an_error_comes_out_at_the_next_call_or_at_the_end(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    saver = Saver(RunFolder(blocked / "run"), {})
    with pytest.raises(ResultsError), saver:
        saver.save(state(torch.zeros(1), 1))
    saver = Saver(RunFolder(blocked / "run"), {})
    saver.save(state(torch.zeros(1), 1))
    with pytest.raises(ResultsError):
        for epoch in range(2, 1000):  # of the first that the thread has come to by then
            time.sleep(0.01)
            saver.save(state(torch.zeros(1), epoch))


@pytest.mark.parametrize("best", [None, 2])
def test_no_epoch_waits_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, best: int | None) -> None:
    """Of the epochs of one write the latest is written next, save for one that is kept as the best."""
    may_write, began, written = threading.Event(), threading.Event(), []
    write = saver_module.write_atomic

    def slow(file: Path, content: bytes) -> None:
        began.set()
        assert may_write.wait(10)
        write(file, content)
        if file.name == "checkpoint.pt":
            written.append(checkpoint.load(file)["epoch"])

    monkeypatch.setattr(saver_module, "write_atomic", slow)
    folder = RunFolder(tmp_path)
    with Saver(folder, {"status": "running"}) as saver:
        saver.save(state(torch.zeros(1), 1))
        assert began.wait(10)
        saver.save(state(torch.zeros(1), 2), is_best=best == 2)
        if best is None:
            saver.save(state(torch.zeros(1), 3))
        may_write.set()
        saver.save(state(torch.zeros(1), 4))
    assert written[0] == 1
    assert written[-1] == 4
    assert (2 in written) == (best == 2), "a best one gives way to none"
    assert folder.best.exists() == (best == 2)
    assert folder.read_status()["epochs_done"] == 4
    assert folder.metrics.read_text().count("\n") == 5


def test_a_folder_that_goes_while_a_file_is_written_is_a_lost_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = [True]

    def check() -> None:
        if not there[0]:
            raise RunLost("Its folder was moved or deleted.")

    def gone(*arguments: Any) -> None:
        there[0] = False
        raise RunBlocked("Cannot write.")

    monkeypatch.setattr(saver_module, "write_atomic", gone)
    with pytest.raises(RunLost), Saver(RunFolder(tmp_path), {"status": "running"}, check) as saver:
        saver.save(state(torch.zeros(1), 1))
