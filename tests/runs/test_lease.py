"""Who trains a run: seen from the same machine, from another one, and by the owner itself."""

import contextlib
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
from samcli.runs import lease
from samcli.runs.lease import LONG_SILENCE, NAME, PATIENCE, Lease, Owner, Watch, owner_of
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


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("clocks_differ", [-7200.0, 0.0, 300.0])
def test_elsewhere_whoever_watches_sees_a_beat_or_none(tmp_path: Path, clocks_differ: float) -> None:
    """What clocks say of the time of day does not enter, the beats' as little as this machine's."""
    clock = Clock()
    watch = Watch(clock)
    for beat in range(5):
        claim(tmp_path, machine="another", pid=1, silence=clocks_differ - 10.0 * beat)
        clock.now += PATIENCE - 1
        owner = watch.owner_of(tmp_path, {})
        assert owner is not None
        assert owner.standing == "unknown"
    clock.now += PATIENCE - 1
    owner = watch.owner_of(tmp_path, {})
    assert owner is not None
    assert owner.keeps()
    clock.now += 1
    owner = watch.owner_of(tmp_path, {})
    assert owner is not None
    assert not owner.keeps()
    with pytest.raises(RunBusy):
        Lease(tmp_path).__enter__()  # nobody watched
    with pytest.raises(RunBusy):
        Lease(tmp_path, dead="of another claim").__enter__()
    with Lease(tmp_path, dead=owner.token) as mine:
        mine.check()


def test_a_claim_anew_is_watched_anew(tmp_path: Path) -> None:
    clock = Clock()
    watch = Watch(clock)
    for token in "ab":
        claim(tmp_path, machine="another", token=token)
        os.utime(tmp_path / NAME, ns=(10**18, 10**18))  # the same time
        for seconds, gone in ((0.0, False), (PATIENCE - 1, False), (1.0, True)):
            clock.now += seconds
            owner = watch.owner_of(tmp_path, {})
            assert owner is not None
            assert (owner.standing == "gone") is gone


def test_a_reader_who_does_not_watch_goes_by_a_long_silence(tmp_path: Path) -> None:
    claim(tmp_path, machine="another", pid=1, silence=LONG_SILENCE - 30)
    assert is_alive(tmp_path)
    claim(tmp_path, machine="another", pid=1, silence=LONG_SILENCE + 30)
    assert not is_alive(tmp_path)


def test_where_the_start_of_processes_is_not_told_both_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "start_of", lambda pid: None)
    claim(tmp_path, process_started=None)
    owner = owner_of(tmp_path, {})
    assert owner is not None
    assert owner.standing == "unknown"  # the number may be another process's by now
    claim(tmp_path, process_started=None, pid=ended_process())
    assert not is_alive(tmp_path)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"token": "t", "pid": "x"}', "[" * 10_000])
def test_a_file_that_names_nobody_is_no_owner(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text)
    assert owner_of(tmp_path, RUNNING) is None
    with Lease(tmp_path, RUNNING):
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
        Lease(tmp_path, elsewhere).__enter__()
    with Lease(tmp_path, elsewhere, take_over=True):
        pass


def test_a_live_owner_keeps_the_run(tmp_path: Path) -> None:
    with Lease(tmp_path / "run") as mine:
        mine.check()
        for take_over in (False, True):
            with pytest.raises(RunBusy, match=rf"run is being trained by process {os.getpid()} on .*end that process"):
                Lease(tmp_path / "run", take_over=take_over).__enter__()
        mine.check()
    assert list((tmp_path / "run").iterdir()) == []


def test_an_owner_that_may_be_gone_is_replaced_on_request(tmp_path: Path) -> None:
    claim(tmp_path, machine="another", pid=7, silence=60.0, since="2026-11-26 09:15")
    said = (
        r"process 7 on node017 since 2026-11-26 09:15, whose last sign of life is 60 s old; if that process is gone, "
        r"samcli train takes the run over within a minute, with --take-over at once\."
    )
    with pytest.raises(RunBusy, match=said):
        Lease(tmp_path).__enter__()
    with Lease(tmp_path, take_over=True) as mine:
        mine.check()


def test_a_claim_that_comes_in_between_is_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that take one dead lease over at once, on hosts whose locks do not reach each other: one gets it."""
    claim(tmp_path, machine="another", token="dead")
    real, faster = lease.owner_of, []

    def slow(folder: Path, status: Any) -> Owner | None:
        owner = real(folder, status)
        if not faster:  # the other one is between our look and our claim
            faster.append(Lease(tmp_path, dead="dead"))
            faster[0].__enter__()
        return owner

    monkeypatch.setattr(lease, "owner_of", slow)
    monkeypatch.setattr(lease, "_locked", lambda folder: contextlib.nullcontext())
    with pytest.raises(RunBusy, match="claimed by another process at this moment"):
        Lease(tmp_path, dead="dead").__enter__()
    faster[0].check()
    faster[0].__exit__(None, None, None)
    assert list(tmp_path.iterdir()) == []


def test_without_hard_links_one_of_two_makes_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*paths: object) -> None:
        raise PermissionError("no hard links here")

    monkeypatch.setattr(os, "link", refuse)
    with Lease(tmp_path) as mine:
        mine.check()
        with pytest.raises(RunBusy):
            Lease(tmp_path).__enter__()


def test_an_owner_gives_signs_of_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "BEAT", 0.01)
    with Lease(tmp_path):
        os.utime(tmp_path / NAME, times=(0.0, 0.0))
        until = time.monotonic() + 30.0
        while (tmp_path / NAME).stat().st_mtime == 0.0 and time.monotonic() < until:
            time.sleep(0.01)
        owner = owner_of(tmp_path, {})
    assert isinstance(owner, Owner)
    assert owner.silence is not None
    assert owner.silence < 30.0


def test_an_owner_notices_what_was_taken_from_it(tmp_path: Path) -> None:
    with Lease(tmp_path / "taken") as mine:
        claim(tmp_path / "taken", machine="another", token="theirs")
        with pytest.raises(RunLost, match=r"taken is no longer trained here: another process took it over\."):
            mine.check()
    assert json.loads((tmp_path / "taken" / NAME).read_text())["token"] == "theirs"
    with Lease(tmp_path / "deleted") as mine:
        shutil.rmtree(tmp_path / "deleted")
        with pytest.raises(RunLost, match=r"deleted is no longer trained here: its folder was moved or deleted\."):
            mine.check()
    assert not (tmp_path / "deleted").exists()


@pytest.mark.parametrize("text", ["", "{}", "[" * 10_000, '{"token": "t"}'])
def test_a_file_that_was_spoilt_is_not_its_own(tmp_path: Path, text: str) -> None:
    with Lease(tmp_path) as mine:
        (tmp_path / NAME).write_text(text)
        assert not mine.held()
        (tmp_path / NAME).unlink()
        os.mkfifo(tmp_path / NAME)
        assert mine.held()  # it cannot be read for the moment, and nobody waits for it


def test_of_many_that_claim_at_once_one_gets_it(tmp_path: Path) -> None:
    for number in range(10):
        owners = [Lease(tmp_path / str(number)) for _ in range(8)]

        def enter(owner: Lease) -> bool:
            try:
                owner.__enter__()
            except RunBusy:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            got = list(pool.map(enter, owners))
        assert sum(got) == 1
        owners[got.index(True)].__exit__(None, None, None)
