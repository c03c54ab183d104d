"""Removing runs, and what is never removed."""

import json
import os
import time
from pathlib import Path

import pytest
from run_folders import SGD, Results

from samcli.errors import ResultsError
from samcli.runs import RunFolder, owner, removal
from samcli.runs.lease import Lease
from samcli.runs.listing import look
from samcli.runs.owner import NAME
from samcli.runs.removal import objection, remove


@pytest.fixture
def failed(tmp_path: Path) -> RunFolder:
    return Results(tmp_path).add(SGD, 0, [0.5], status={"status": "failed"})


def test_a_failed_run_goes_and_nothing_is_left(failed: RunFolder, tmp_path: Path) -> None:
    rest = failed.path.parent / ".removed-of-a-kill"
    rest.mkdir()
    remove(look(failed.path), [tmp_path])
    assert list(failed.path.parent.iterdir()) == []


def kept(folder: Path, tmp_path: Path, words: str) -> None:
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ResultsError, match=words):
        remove(look(folder), [tmp_path])
    assert sorted(tmp_path.rglob("*")) == before


def test_a_run_at_work_stays(failed: RunFolder, tmp_path: Path) -> None:
    run = look(failed.path)
    with Lease(failed.path):
        kept(failed.path, tmp_path, "is being trained by process")
        with pytest.raises(ResultsError, match="is being trained by process"):
            remove(run, [tmp_path])  # it began since it was listed
    assert failed.run.exists()


def test_a_run_of_another_host_that_may_be_at_work_stays(failed: RunFolder, tmp_path: Path) -> None:
    claim = {"token": "a", "host": "node7", "pid": 1, "machine": "other", "process_started": None}
    (failed.path / NAME).write_text(json.dumps(claim))
    kept(failed.path, tmp_path, "node7")
    an_hour_ago = time.time() - 4000
    os.utime(failed.path / NAME, (an_hour_ago, an_hour_ago))
    run = look(failed.path)
    (failed.path / NAME).write_text(json.dumps(claim | {"token": "b"}))
    with pytest.raises(ResultsError, match="node7"):
        remove(run, [tmp_path])  # another took it over since it was listed
    os.utime(failed.path / NAME, (an_hour_ago, an_hour_ago))
    with pytest.raises(ResultsError, match="node7"):
        remove(look(failed.path), [tmp_path])  # nobody watched: its clock may be another one
    remove(look(failed.path), [tmp_path], {"b"})
    assert not failed.path.exists(), "it was watched in vain"


def test_claims_that_show_no_sign_of_life_are_dead(failed: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A holder whose clock is an hour behind shows itself all the same."""
    monkeypatch.setattr(owner, "PATIENCE", 0.4)
    monkeypatch.setattr(removal, "SECONDS_BETWEEN_LOOKS", 0.05)
    claim = {"token": "a", "host": "node7", "pid": 1, "machine": "other", "process_started": None}
    (failed.path / NAME).write_text(json.dumps(claim))
    os.utime(failed.path / NAME, (1e9, 1e9))
    run = look(failed.path)
    assert removal.dead_claims([run]) == {"a"}
    os.utime(failed.path / NAME, (1e9 + 10, 1e9 + 10))  # a beat since it was listed
    assert removal.dead_claims([run]) == set()
    (failed.path / NAME).unlink()
    assert removal.dead_claims([run]) == set()


def test_what_is_hidden_and_not_samclis_stays(failed: RunFolder, tmp_path: Path) -> None:
    (failed.path / ".notes.txt").write_text("precious")
    kept(failed.path, tmp_path, r"holds \.notes\.txt, which samcli did not write")
    (failed.path / ".notes.txt").rename(failed.path / ".checkpoint.pt.0123456789ab-77-0123abcd.tmp")  # of a kill
    remove(look(failed.path), [tmp_path])
    assert not failed.path.exists()


def test_a_run_that_is_another_by_now_stays(failed: RunFolder, tmp_path: Path) -> None:
    run = look(failed.path)
    failed.write_status({"status": "finished"})
    with pytest.raises(ResultsError, match="is finished by now"):
        remove(run, [tmp_path])
    assert failed.checkpoint.parent.exists()


@pytest.mark.parametrize("name", ["notes.txt", "nested/run.json", "checkpoint.pt/inner"])
def test_what_samcli_did_not_write_stays(failed: RunFolder, tmp_path: Path, name: str) -> None:
    path = failed.path / name
    path.parent.mkdir(exist_ok=True)
    path.touch()
    kept(failed.path, tmp_path, "did not write")


def test_an_experiment_with_a_stray_file_stays(failed: RunFolder, tmp_path: Path) -> None:
    (failed.path.parent / "config.yaml").touch()
    kept(failed.path.parent, tmp_path, "did not write")


def test_a_folder_without_a_sign_of_a_run_stays(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").touch()
    assert objection(look(tmp_path), [tmp_path]) == "is no folder of a run"


def test_nothing_goes_through_a_link(failed: RunFolder, tmp_path: Path) -> None:
    link, inner = tmp_path / "link", tmp_path / "real"
    link.symlink_to(failed.path.parent)
    with pytest.raises(ResultsError, match="symbolic link"):
        remove(look(link / failed.path.name), [tmp_path])
    with pytest.raises(ResultsError, match="symbolic link"):
        remove(look(link / failed.path.name), [link])
    inner.symlink_to(failed.path)
    with pytest.raises(ResultsError, match="symbolic link"):
        remove(look(inner), [inner])
    assert failed.run.exists()


def test_a_link_in_a_run_goes_but_not_what_it_points_to(failed: RunFolder, tmp_path: Path) -> None:
    failed.checkpoint.symlink_to(tmp_path)
    kept(failed.path, tmp_path, "did not write")
