"""Atomic writes: all or nothing, and nothing left behind."""

import os
import shutil
from pathlib import Path

import pytest

from samcli.errors import ResultsError, RunBlocked
from samcli.runs.files import atomic_path, write_atomic


@pytest.mark.parametrize("data", [b"\x00\xff", "ρ = 0.05\n"])
def test_writes_and_replaces(tmp_path: Path, data: bytes | str) -> None:
    path = tmp_path / "new" / "folder" / "file"
    write_atomic(path, "old")
    write_atomic(path, data)
    assert path.read_bytes() == (data if isinstance(data, bytes) else data.encode())
    assert [file.name for file in path.parent.iterdir()] == ["file"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, SystemExit])
def test_an_exception_keeps_the_old_file(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "file"
    write_atomic(path, "old")
    with pytest.raises(error), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_the_old_file_stands_until_the_end(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomic(path, "old")
    with atomic_path(path) as temporary:
        assert temporary.parent == path.parent
        assert temporary.name.startswith(".file.")
        assert temporary.name.endswith(".tmp")
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"


def test_flushed_before_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (calls.append("fsync"), fsync(fd)))
    monkeypatch.setattr(os, "replace", lambda a, b: (calls.append("replace"), replace(a, b)))
    write_atomic(tmp_path / "file", "text")
    assert calls == ["fsync", "replace"]


def test_permissions_are_the_ordinary_ones(tmp_path: Path) -> None:
    ordinary = tmp_path / "ordinary"
    ordinary.write_text("")
    write_atomic(tmp_path / "file", "")
    assert (tmp_path / "file").stat().st_mode == ordinary.stat().st_mode


def test_a_folder_that_cannot_be_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(ResultsError, match=r"Cannot write .*run\.json: .+ Move what stands there away") as caught:
        write_atomic(tmp_path / "taken" / "run.json", "{}")
    assert "Traceback" not in str(caught.value)


def test_a_full_disk_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    write_atomic(tmp_path / "file", "old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ResultsError, match=r"No space left on device\. Make room"):
        write_atomic(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_is_deleted_meanwhile_is_a_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    deleted = pytest.raises(RunBlocked, match=r"moved or deleted meanwhile; run the same command again")
    with deleted, atomic_path(folder / "checkpoint.pt") as temporary:
        temporary.write_bytes(b"half")
        shutil.rmtree(folder)
