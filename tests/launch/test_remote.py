"""A run as another machine trains it: how it ends in words, and what the two see of one folder."""

import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from samcli import launch
from samcli.config import Draft, parse
from samcli.launch import Cell
from samcli.launch.remote import LATE, Beacon, Work, absolute, train_there
from samcli.runs.folder import RunFolder
from samcli.train import CATALOGUE

TEXT = "{name: small, dataset: {name: wine}, model: linear, epochs: EPOCHS, optimizer: sgd, sharpness: {every: 0}}"


def cell_of(results: Path, epochs: int = 2) -> Cell:
    (cell,) = launch.plan(Draft.of(parse(TEXT.replace("EPOCHS", str(epochs)), "x"), CATALOGUE).expand(), results)
    return cell


def work_of(cell: Cell, timeout: float | None = None) -> Work:
    return Work(absolute(cell), Path("data").absolute(), torch.device("cpu"), 1, "ray", timeout)


@pytest.fixture(autouse=True)
def _descriptors_and_signals() -> Iterator[None]:
    """What a process of its own would take with it when it ends."""
    kept, handler = [os.dup(number) for number in (1, 2)], signal.getsignal(LATE)
    yield
    for number, copy in zip((1, 2), kept, strict=True):
        os.dup2(copy, number)
        os.close(copy)
    signal.signal(LATE, handler)


def test_a_run_ends_in_words(tmp_path: Path) -> None:
    cell = cell_of(tmp_path)
    assert train_there(work_of(cell), lambda: False) == ("ended", ("finished", ""))
    status = cell.folder.read_status()
    assert (status["engine"], status["threads"], status["epochs_done"]) == ("ray", 1, 2)
    assert (cell.folder.path / "log.txt").exists()
    assert train_there(work_of(cell), lambda: False) == ("ended", ("finished", ""))  # begun again after its end


def test_asked_to_stop_it_goes_on_later(tmp_path: Path) -> None:
    cell, answers = cell_of(tmp_path, 3), iter([False, True])
    word, sentence = train_there(work_of(cell), lambda: next(answers))
    assert word == "interrupted", sentence
    assert cell.folder.read_status()["epochs_done"] == 1
    assert train_there(work_of(cell), lambda: False) == ("ended", ("finished", ""))


def test_a_run_that_takes_too_long_fails_and_keeps_its_epochs(tmp_path: Path) -> None:
    cell = cell_of(tmp_path, 1_000_000)
    word, (status, message) = train_there(work_of(cell, timeout=0.5), lambda: False)
    assert (word, status) == ("ended", "failed")
    assert message.startswith("It took longer than --timeout 0.5 seconds; its finished epochs are kept.")
    recorded = cell.folder.read_status()
    assert recorded["status"] == "failed"
    assert recorded["epochs_done"] > 0


def test_an_interrupt_that_is_lost_ends_the_run_after_its_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("samcli.launch.remote.interrupt", lambda number, frame: None)
    _, (status, message) = train_there(work_of(cell_of(tmp_path, 1_000_000), timeout=0.5), lambda: False)
    assert (status, message[:40]) == ("failed", "It took longer than --timeout 0.5 second")


def test_what_stops_all_is_handed_back(tmp_path: Path) -> None:
    cell = cell_of(tmp_path)
    (tmp_path / "file").touch()
    blocked = dataclasses.replace(cell, folder=RunFolder(tmp_path / "file" / "run"))
    word, told = train_there(work_of(blocked), lambda: False)
    assert word in ("stop", "ended")
    assert "Traceback" not in str(told)


def test_a_beacon_is_seen_from_another_process(tmp_path: Path) -> None:
    with Beacon(tmp_path / "results") as beacon:
        program = (
            "import pickle, sys; beacon = pickle.loads(bytes.fromhex(sys.argv[1]));"
            "print(beacon.is_seen(), beacon.says_stop())"
        )

        def seen() -> str:
            import pickle

            command = [sys.executable, "-c", program, pickle.dumps(beacon).hex()]
            return subprocess.run(command, capture_output=True, text=True, check=True, cwd="/").stdout.strip()

        assert seen() == "True False"
        beacon.stop()
        assert seen() == "True True"
        beacon.file.write_text("of another command go")
        assert (beacon.is_seen(), beacon.says_stop()) == (False, False)
    assert list((tmp_path / "results").iterdir()) == []
    assert (beacon.is_seen(), beacon.says_stop()) == (False, False)
