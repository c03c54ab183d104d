"""What the Slurm engine reads of a job: plain values, from files that only its own submission names."""

import json
from pathlib import Path

import pytest
import torch
from recorder import Recorder

from samcli import launch
from samcli.config import Draft, parse
from samcli.errors import ResultsError
from samcli.launch import Cell
from samcli.launch.engines._slurm_job import SlurmJob
from samcli.launch.engines.slurm import Request, _Jobs, _left_by, _note_of, _outcome_of, _read_note, _Submitted
from samcli.launch.remote import Work, absolute
from samcli.train import CATALOGUE

TEXT = "{name: small, dataset: wine, model: linear, epochs: 2, optimizer: sgd, sharpness: {every: 0}}"


@pytest.fixture
def cell(tmp_path: Path) -> Cell:
    (cell,) = launch.plan(Draft.of(parse(TEXT, "x"), CATALOGUE).expand(), tmp_path)
    return absolute(cell)


def test_a_job_leaves_how_the_run_ended(cell: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = _outcome_of(cell, "0123456789abcdef")
    told = ("ended", ("failed", "KeyError: 'rho'"))
    monkeypatch.setattr("samcli.launch.engines._slurm_job.train_there", lambda work, should_stop: told)
    job = SlurmJob(Work(cell, tmp_path, torch.device("cpu"), 1, "slurm"), 60, outcome)
    assert job() == told
    assert _left_by(_Submitted(cell, outcome)) == told
    monkeypatch.setattr(
        "samcli.launch.engines._slurm_job.train_there", lambda work, should_stop: ("stop", ResultsError("full"))
    )
    job()
    word, error = _left_by(_Submitted(cell, outcome)) or ("", None)
    assert (word, str(error)) == ("stop", "full")


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '{"word": "ended", "told": "x"}', '{"word": "run", "told": ["a", "b"]}']
)
def test_what_is_no_outcome_is_none(cell: Cell, text: str) -> None:
    outcome = _outcome_of(cell, "0123456789abcdef")
    assert _left_by(_Submitted(cell, outcome)) is None
    outcome.parent.mkdir(parents=True)
    outcome.write_text(text)
    assert _left_by(_Submitted(cell, outcome)) is None


@pytest.mark.parametrize("token", ["../../etc/passwd", "0123456789ABCDEF", "", None, 7])
def test_a_note_names_no_other_file(cell: Cell, token: object) -> None:
    assert _read_note(cell) is None
    _note_of(cell).parent.mkdir(parents=True)
    _note_of(cell).write_text(json.dumps({"job": "17", "token": "0123456789abcdef"}))
    assert _read_note(cell) == {"job": "17", "token": "0123456789abcdef"}
    _note_of(cell).write_text(json.dumps({"job": "17", "token": token}))
    assert _read_note(cell) is None


def test_while_slurm_does_not_answer_nothing_is_submitted_twice(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    _note_of(cell).parent.mkdir(parents=True)
    _note_of(cell).write_text(json.dumps({"job": "17", "token": "0123456789abcdef"}))
    submitted: list[Cell] = []
    monkeypatch.setattr(_Jobs, "_submit_array", lambda self, cells: submitted.extend(cells))
    answers: list[dict[str, str] | None] = [None, None, {"17": "RUNNING"}]
    monkeypatch.setattr("samcli.launch.engines._slurm_queue.states", lambda: answers.pop(0))
    told = Recorder()
    jobs = _Jobs([cell], launch.Terms(Path(), torch.device("cpu")), told, Request())
    for _ in range(3):
        jobs._submit()
    assert told.events == [("noticed", "Slurm does not answer (squeue fails); waiting until it does.")]
    assert (submitted, list(jobs._jobs), answers) == ([], ["17"], [])

    answers.append({})  # it has left the queue
    others = _Jobs([cell], launch.Terms(Path(), torch.device("cpu")), Recorder(), Request())
    others._submit()
    assert submitted == [cell]


def test_a_run_whose_job_ends_while_the_queue_is_asked_is_not_submitted_again(
    cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    _note_of(cell).parent.mkdir(parents=True)
    _note_of(cell).write_text(json.dumps({"job": "17", "token": "0123456789abcdef"}))
    submitted: list[Cell] = []
    monkeypatch.setattr(_Jobs, "_submit_array", lambda self, cells: submitted.extend(cells))

    def ended_meanwhile() -> dict[str, str]:
        cell.folder.write_config(cell.config.document())
        cell.folder.write_metrics([{"epoch": epoch, "train_loss": 0.5} for epoch in (1, 2)])
        cell.folder.write_status({"status": "finished", "epochs_done": 2})
        return {}

    monkeypatch.setattr("samcli.launch.engines._slurm_queue.states", ended_meanwhile)
    jobs = _Jobs([cell], launch.Terms(Path(), torch.device("cpu")), Recorder(), Request())
    jobs._submit()
    assert submitted == []
    assert dict(jobs._ledger.outcome) == {cell.folder.path.name: "finished"}
    assert jobs._ledger.finished
