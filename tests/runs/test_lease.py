"""The lease of a folder: claimed by one process, kept, taken over, and lost."""

import contextlib
import json
import os
import shutil
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from claims import Clock, claim, ended_process, is_alive

from samcli.errors import RunBusy, RunLost
from samcli.runs import lease
from samcli.runs.lease import Lease
from samcli.runs.owner import NAME, PATIENCE, Owner, Watch, owner_of

RUNNING = {"status": "running", "machine": "0123456789ab"}


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
