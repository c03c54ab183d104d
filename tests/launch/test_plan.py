"""What is left to do is read from the results folder alone."""

import os
import socket
import sys
from pathlib import Path

import pytest

from samcli import launch
from samcli.config import Draft, RunConfig, parse
from samcli.launch import Cell
from samcli.launch.plan import look_again
from samcli.train import CATALOGUE


def runs(text: str) -> list[RunConfig]:
    return Draft.of(parse(text, "x.yaml"), CATALOGUE).expand()


SMALL = "name: small\ndataset: {name: digits, train_examples: 50}\nepochs: 2\noptimizer: [sgd, sam]\n"


def leave(cell: Cell, epochs: int) -> None:
    """The files of a run that ended after some epochs."""
    cell.folder.write_config(cell.config.document())
    cell.folder.write_metrics([{"epoch": epoch, "train_loss": 0.5} for epoch in range(1, epochs + 1)])


def test_states(tmp_path: Path) -> None:
    cells = launch.plan(runs(SMALL + "seeds: 0-2"), tmp_path)
    assert [cell.state for cell in cells] == ["new"] * 6
    here = {"host": socket.gethostname(), "pid": os.getpid()}
    for cell, status in zip(
        cells,
        [
            {"status": "finished", "epochs_done": 2},
            {"status": "finished", "epochs_done": 1},
            {"status": "diverged", "epochs_done": 1},
            {"status": "failed", "epochs_done": 0},
            {"status": "running", "epochs_done": 1, **here},
            {"status": "running", "epochs_done": 1, **here, "pid": 2**22 + 1},
        ],
        strict=True,
    ):
        cell.folder.write_status(status)
    for index in (1, 5):
        cells[index].folder.checkpoint.touch()
    leave(cells[0], epochs=2)
    again = launch.plan(runs(SMALL + "seeds: 0-2"), tmp_path)
    assert [cell.state for cell in again] == ["finished", "resume", "diverged", "failed", "busy", "resume"]
    retried = launch.plan(runs(SMALL + "seeds: 0-2"), tmp_path, retry_failed=True)
    assert [cell.state for cell in retried] == ["finished", "resume", "diverged", "new", "busy", "resume"]
    assert [cell.to_do for cell in retried] == [False, True, False, True, False, True]
    # a larger grid meets the same folders
    larger = launch.plan(runs(SMALL.replace("sam]", "sam, asam]") + "seeds: 0-3"), tmp_path)
    assert sum(cell.state == "finished" for cell in larger) == 1
    assert len(larger) == 12


def test_a_run_that_ends_between_the_looks_at_its_files_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (cell,) = launch.plan(runs(SMALL.replace("[sgd, sam]", "sgd")), tmp_path)
    cell.folder.write_status({"status": "running", "epochs_done": 2, "machine": "here"})
    cell.folder.checkpoint.touch()
    leave(cell, epochs=2)

    def ended_meanwhile(folder: Path, status: object) -> None:
        cell.folder.write_status({"status": "finished", "epochs_done": 2})

    monkeypatch.setattr(sys.modules["samcli.launch.plan"], "owner_of", ended_meanwhile)
    assert look_again(cell).state == "finished"


def test_a_run_that_ended_at_its_training_loss_is_finished(tmp_path: Path) -> None:
    text = "dataset: digits\nschedule: constant\noptimizer: sgd\nepochs: 9\nstop_at_train_loss: 0.5\n"
    (cell,) = launch.plan(runs(text), tmp_path)
    cell.folder.write_status({"status": "finished", "epochs_done": 4})
    leave(cell, epochs=4)
    (again,) = launch.plan(runs(text), tmp_path)
    assert (again.state, again.to_do) == ("finished", False)
    cell.folder.write_status({"status": "interrupted", "epochs_done": 4})
    assert launch.plan(runs(text), tmp_path)[0].to_do
