"""Who trains a run: seen from the same machine, from another one, and by the owner itself."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from samcli.errors import RunBusy, RunLost
from samcli.runs import ownership
from samcli.runs.ownership import NAME, PATIENCE, Owner, Ownership, owner_of
from samcli.runs.process import start_of, this_machine

RUNNING = {"status": "running", "machine": "0123456789ab"}


def claim(folder: Path, *, silence: float = 0.0, **fields: Any) -> None:
    """The file of an owner that gave its last sign of life some seconds ago."""
    here = {"pid": os.getpid(), "process_started": start_of(os.getpid()), "machine": this_machine()}
    (folder / NAME).write_text(json.dumps({"token": "t", "host": "node017", **here, **fields}))
    os.utime(folder / NAME, times=(time.time() - silence,) * 2)


def ended_process() -> int:
    command = [sys.executable, "-c", "import os; print(os.getpid())"]
    return int(subprocess.run(command, capture_output=True, check=True).stdout)


def is_alive(folder: Path, **status: Any) -> bool:
    owner = owner_of(folder, status)
    return owner is not None and owner.alive


def test_on_this_machine_the_process_itself_counts(tmp_path: Path) -> None:
    claim(tmp_path, silence=10 * PATIENCE)  # stopped for long, but there
    assert is_alive(tmp_path)
    claim(tmp_path, pid=ended_process())
    assert not is_alive(tmp_path)
    claim(tmp_path, process_started="12")  # the number is another process's by now, as after a reboot
    assert not is_alive(tmp_path)
    claim(tmp_path, pid=2**62)
    assert not is_alive(tmp_path)


def test_elsewhere_its_sign_of_life_counts(tmp_path: Path) -> None:
    claim(tmp_path, machine="another", pid=1, silence=PATIENCE - 30)
    assert is_alive(tmp_path)
    claim(tmp_path, machine="another", pid=1, silence=PATIENCE + 30)
    assert not is_alive(tmp_path)


def test_where_the_start_of_processes_is_not_told_both_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ownership, "start_of", lambda pid: None)
    claim(tmp_path, process_started=None)
    assert is_alive(tmp_path)
    claim(tmp_path, process_started=None, silence=PATIENCE + 30)
    assert not is_alive(tmp_path)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"token": "t", "pid": "x"}', "[" * 10_000])
def test_a_file_that_names_nobody_is_no_owner(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text)
    assert owner_of(tmp_path, RUNNING) is None
    with Ownership(tmp_path, RUNNING):
        pass


def test_runs_of_earlier_versions(tmp_path: Path) -> None:
    """Their `run.json` names host and process; elsewhere it cannot be known whether that is there."""
    here = {"status": "running", "host": socket.gethostname()}
    assert is_alive(tmp_path, **here, pid=os.getpid())
    assert not is_alive(tmp_path, **here, pid=ended_process())
    assert not is_alive(tmp_path, **here)
    elsewhere = {"status": "running", "host": "node017", "pid": 7}
    assert is_alive(tmp_path, **elsewhere)
    assert not is_alive(tmp_path, **elsewhere | {"status": "finished"})
    assert not is_alive(tmp_path, **elsewhere, machine="another")  # this version's, and the owner's file is gone
    with pytest.raises(RunBusy, match=r"process 7 on node017, an earlier samcli .* add --take-over\."):
        Ownership(tmp_path, elsewhere).__enter__()
    with Ownership(tmp_path, elsewhere, take_over=True):
        pass


def test_a_live_owner_keeps_the_run(tmp_path: Path) -> None:
    with Ownership(tmp_path / "run") as mine:
        mine.check()
        for take_over in (False, True):
            with pytest.raises(RunBusy, match=rf"run is being trained by process {os.getpid()} on .*end that process"):
                Ownership(tmp_path / "run", take_over=take_over).__enter__()
        mine.check()
    assert list((tmp_path / "run").iterdir()) == []


def test_an_owner_that_may_be_gone_is_replaced_on_request(tmp_path: Path) -> None:
    claim(tmp_path, machine="another", pid=7, silence=60.0)
    said = r"process 7 on node017, whose last sign of life is 60 s old; .*until it is 120 s old, or add --take-over\."
    with pytest.raises(RunBusy, match=said):
        Ownership(tmp_path).__enter__()
    with Ownership(tmp_path, take_over=True) as mine:
        mine.check()
    claim(tmp_path, machine="another", pid=7, silence=PATIENCE + 1)
    with Ownership(tmp_path) as mine:
        mine.check()


def test_an_owner_gives_signs_of_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ownership, "BEAT", 0.01)
    with Ownership(tmp_path):
        os.utime(tmp_path / NAME, times=(0.0, 0.0))
        until = time.monotonic() + 30.0
        while (tmp_path / NAME).stat().st_mtime == 0.0 and time.monotonic() < until:
            time.sleep(0.01)
        owner = owner_of(tmp_path, {})
    assert isinstance(owner, Owner)
    assert owner.silence is not None
    assert owner.silence < 30.0


def test_an_owner_notices_what_was_taken_from_it(tmp_path: Path) -> None:
    with Ownership(tmp_path / "taken") as mine:
        claim(tmp_path / "taken", machine="another", token="theirs")
        with pytest.raises(RunLost, match=r"taken is no longer trained here: another process took it over\."):
            mine.check()
    assert json.loads((tmp_path / "taken" / NAME).read_text())["token"] == "theirs"
    with Ownership(tmp_path / "deleted") as mine:
        shutil.rmtree(tmp_path / "deleted")
        with pytest.raises(RunLost, match=r"deleted is no longer trained here: its folder was moved or deleted\."):
            mine.check()
    assert not (tmp_path / "deleted").exists()


@pytest.mark.parametrize("text", ["", "{}", "[" * 10_000, '{"token": "t"}'])
def test_a_file_that_was_spoilt_is_not_its_own(tmp_path: Path, text: str) -> None:
    with Ownership(tmp_path) as mine:
        (tmp_path / NAME).write_text(text)
        assert not mine.held()
        (tmp_path / NAME).unlink()
        os.mkfifo(tmp_path / NAME)
        assert mine.held()  # it cannot be read for the moment, and nobody waits for it


def test_of_many_that_claim_at_once_one_gets_it(tmp_path: Path) -> None:
    for number in range(10):
        owners = [Ownership(tmp_path / str(number)) for _ in range(8)]

        def enter(owner: Ownership) -> bool:
            try:
                owner.__enter__()
            except RunBusy:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            got = list(pool.map(enter, owners))
        assert sum(got) == 1
        owners[got.index(True)].__exit__(None, None, None)
