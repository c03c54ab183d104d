"""What is told of runs, sound or not."""

import json
import os
from pathlib import Path

import pytest
from run_folders import SAM, SGD, Results

from samcli.cli import complete
from samcli.errors import ResultsError
from samcli.runs.lease import Lease
from samcli.runs.listing import STATES, list_runs, look
from samcli.runs.owner import NAME


def test_what_is_told_of_a_finished_run(tmp_path: Path) -> None:
    folder = Results(tmp_path).add(SGD, 0, [0.5, 0.75])
    for path in folder.path.iterdir():
        os.utime(path, (0, os.stat(path).st_mtime - 100))
    run = look(folder.path)
    assert (run.state, run.epochs, run.metric, run.score) == ("finished", 2, "test_accuracy", 0.75)
    assert run.age is not None
    assert 100 <= run.age < 200
    assert run.record()["experiment"] == "trial"


def test_a_running_run_whose_process_is_gone_is_interrupted(tmp_path: Path) -> None:
    status = {"status": "running", "machine": "here", "epochs_done": 1}
    folder = Results(tmp_path).add(SAM, 0, [0.5, 0.6], status=status)
    assert look(folder.path).state == "interrupted"
    with Lease(folder.path):
        run = look(folder.path)
    assert run.state == "running"
    assert run.owner is not None
    assert run.owner.pid == os.getpid()
    assert run.record()["owner"]["standing"] == "at work"


def test_a_run_that_ends_between_the_looks_at_its_files_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = {"status": "running", "machine": "here", "epochs_done": 2}
    folder = Results(tmp_path).add(SAM, 0, [0.5, 0.6], status=status)

    def ended_meanwhile(path: Path, status: object) -> None:
        folder.write_status({**folder.read_status(), "status": "finished"})

    monkeypatch.setattr("samcli.runs.reader.owner_of", ended_meanwhile)
    assert look(folder.path).state == "finished"


def test_a_run_that_has_only_begun(tmp_path: Path) -> None:
    folder = Results(tmp_path).add(SGD, 0, [0.5])
    folder.run.unlink()
    with Lease(folder.path):
        assert look(folder.path).state == "running"
    assert (look(folder.path).state, look(folder.path).reason) == ("damaged", "run.json is missing.")


@pytest.mark.parametrize("name", ["config.yaml", "run.json", "metrics.csv", NAME])
@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[1, 2]", b"{", b"status: x", b"a,b\n1\n"])
def test_no_file_of_a_stranger_ends_the_list(tmp_path: Path, name: str, content: bytes) -> None:
    folder = Results(tmp_path).add(SGD, 0, [0.5])
    (folder.path / name).write_bytes(content)
    ((run,), warnings) = list_runs([tmp_path])
    assert warnings == []
    assert run.state == ("finished" if name == NAME else "damaged")
    assert bool(run.reason) == (name != NAME)
    assert str(tmp_path) not in run.reason
    json.dumps(run.record())


def test_a_finished_run_that_lost_epochs(tmp_path: Path) -> None:
    folder = Results(tmp_path).add(SGD, 0, [0.5, 0.6], epochs=3)
    assert look(folder.path).reason == "metrics.csv has 2 of 3 epochs, though the run is finished."


def test_only_some_states(tmp_path: Path) -> None:
    results = Results(tmp_path)
    results.add(SGD, 0, [0.5])
    results.add(SGD, 1, [0.5], status={"status": "failed", "error": "Traceback\nValueError: odd"})
    assert [run.reason for run in list_runs([tmp_path], ["failed"])[0]] == ["ValueError: odd"]
    assert len(list_runs([tmp_path, tmp_path / "trial"])[0]) == 2, "each once"
    with pytest.raises(ResultsError, match="There are no results"):
        list_runs([tmp_path / "absent"])


def test_the_tab_key_knows_the_states() -> None:
    assert complete.STATES == STATES
