"""Who trains a run, as it is seen from the same machine and from another one."""

import os
from pathlib import Path

import pytest
from claims import Clock, claim, ended_process, is_alive

from samcli.runs import owner as owners
from samcli.runs.owner import LONG_SILENCE, NAME, PATIENCE, Watch, owner_of


def test_on_this_machine_the_process_itself_counts(tmp_path: Path) -> None:
    claim(tmp_path, silence=10 * PATIENCE)  # stopped for long, but there
    assert is_alive(tmp_path)
    claim(tmp_path, pid=ended_process())
    assert not is_alive(tmp_path)
    claim(tmp_path, process_started="12")  # the number is another process's by now, as after a reboot
    assert not is_alive(tmp_path)
    claim(tmp_path, pid=2**62)
    assert not is_alive(tmp_path)


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
    monkeypatch.setattr(owners, "start_of", lambda pid: None)
    claim(tmp_path, process_started=None)
    owner = owner_of(tmp_path, {})
    assert owner is not None
    assert owner.standing == "unknown"  # the number may be another process's by now
    claim(tmp_path, process_started=None, pid=ended_process())
    assert not is_alive(tmp_path)
