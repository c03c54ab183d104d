"""Whose turn it is, where another command has some of the runs."""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from recorder import Recorder

from samcli import launch
from samcli.config import Draft, parse
from samcli.launch import Cell
from samcli.launch.engines import _ledger
from samcli.launch.engines._ledger import Ledger
from samcli.runs import lease
from samcli.runs import owner as owners
from samcli.train import CATALOGUE

TEXT = "{name: x, dataset: wine, epochs: 3, optimizer: sgd, seeds: 0-2}"
TERMS = launch.Terms(Path("data"), torch.device("cpu"))


@pytest.fixture
def cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Cell]:
    """Three runs, the first of which a process of another machine has."""
    monkeypatch.setattr(_ledger, "SECONDS_BETWEEN_LOOKS", 0.0)
    first, *_ = plan(tmp_path)
    first.folder.write_config(first.config.document())
    claim(first)
    return plan(tmp_path)


def plan(results: Path) -> list[Cell]:
    return launch.plan(Draft.of(parse(TEXT, "x"), CATALOGUE).expand(), results)


def claim(cell: Cell) -> None:
    owner = {"token": "t", "host": "node017", "pid": 7, "machine": "another", "process_started": "1"}
    (cell.folder.path / owners.NAME).write_text(json.dumps(owner))


def test_what_another_process_has_is_waited_for_last(cells: list[Cell]) -> None:
    recorder = Recorder()
    ledger = Ledger(cells, TERMS, recorder)
    assert cells[0].state == "busy"
    for cell in cells[1:]:
        assert ledger.next() == cell
        ledger.end(cell, "finished", "")
    ((kind, sentence),) = [event for event in recorder.events if event[0] == "noticed"]
    assert kind
    assert "is being trained by process 7 on node017" in str(sentence)
    assert (ledger.next(), ledger.finished) == (None, False)
    cells[0].folder.write_status({"status": "diverged", "epochs_done": 1})
    (cells[0].folder.path / owners.NAME).unlink()
    assert (ledger.next(), ledger.finished) == (None, True)
    assert recorder.events[-1] == ("noticed", f"{cells[0].folder.path.name} was trained by another process: diverged.")
    assert list(ledger.outcome.values()) == ["diverged", "finished", "finished"]


def test_what_it_left_undone_is_taken_over(cells: list[Cell], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owners, "PATIENCE", 0.2)
    ledger = Ledger(cells[:1], TERMS, Recorder())
    assert ledger.next() is None
    claim(cells[0])  # a beat
    time.sleep(0.1)
    assert ledger.next() is None
    time.sleep(0.25)
    cell = ledger.next()
    assert cell is not None
    assert (cell.state, cell.dead) == ("new", "t")
    with pytest.raises(lease.RunBusy), lease.Lease(cell.folder.path):
        raise AssertionError("It was not watched.")
    with lease.Lease(cell.folder.path, dead=cell.dead) as mine:
        mine.check()


def test_who_was_faster_is_waited_for(cells: list[Cell]) -> None:
    recorder = Recorder()
    ledger = Ledger(cells[1:2], TERMS, recorder)
    cell = ledger.next()
    assert cell is not None
    claim_folder = cell.folder.path
    claim_folder.mkdir()
    claim(cell)
    ledger.end(cell, "busy", "another one has it.")
    assert (ledger.next(), ledger.finished) == (None, False)
    (claim_folder / owners.NAME).unlink()
    assert ledger.next() is not None


def test_an_earlier_version_on_another_host_is_not_waited_for(cells: list[Cell], tmp_path: Path) -> None:
    (cells[0].folder.path / owners.NAME).unlink()
    cells[0].folder.write_status({"status": "running", "host": "node017", "pid": 7})
    first, *_ = plan(tmp_path)
    recorder = Recorder()
    ledger = Ledger([first], TERMS, recorder)
    assert (ledger.next(), ledger.finished) == (None, True)
    assert "add --take-over" in str(recorder.events[0])
    assert list(ledger.outcome.values()) == ["busy"]


def test_what_failed_elsewhere_meanwhile_is_not_tried_again(cells: list[Cell]) -> None:
    ledger = Ledger(cells[:1], TERMS, Recorder())
    assert ledger.next() is None
    cells[0].folder.write_status({"status": "failed", "error": "KeyError", "ended": "now"})
    (cells[0].folder.path / owners.NAME).unlink()
    assert (ledger.next(), ledger.finished) == (None, True)
    assert list(ledger.outcome.values()) == ["failed"]


def test_what_changed_is_put_aside_once(cells: list[Cell], tmp_path: Path) -> None:
    """Two commands find that a run's plug-in or data changed: the one that comes first begins it anew."""
    (first, other) = (
        replace(cells[1], state="changed", changed_since="yesterday", detail="another file") for _ in "ab"
    )
    first.folder.write_status({"status": "finished", "epochs_done": 3, "started": "yesterday"})
    ledgers = [Ledger([cell], TERMS, Recorder()) for cell in (first, other)]
    mine, theirs = (ledger.next() for ledger in ledgers)
    assert mine is not None
    assert theirs is not None
    assert mine.state == theirs.state == "changed"
    with lease.Lease(first.folder.path):  # one that trains it still
        assert ledgers[1].cleared(theirs) is None
    empty = ledgers[0].cleared(mine)
    assert empty is not None
    assert (empty.state, first.folder.path.exists()) == ("new", False)
    assert ledgers[1].cleared(theirs) is None
    aside = tmp_path / "x" / ".replaced" / first.folder.path.name
    assert [file.name for file in aside.iterdir()] == ["run.json"]
    with lease.Lease(first.folder.path):
        first.folder.write_status({"status": "running", "started": "today"})
        assert ledgers[1].next() is None
    first.folder.write_status({"status": "diverged", "started": "today"})
    assert (ledgers[1].next(), list(ledgers[1].outcome.values())) == (None, ["diverged"])
    assert not (tmp_path / "x" / ".replaced" / f"{first.folder.path.name}-2").exists()
