"""Progress on a terminal and elsewhere."""

from pathlib import Path

import pytest

from samcli import launch
from samcli.cli import progress
from samcli.config import Draft, parse
from samcli.runs import EpochMetrics
from samcli.train import CATALOGUE

ROW: EpochMetrics = {"epoch": 2, "train_loss": 0.5, "test_accuracy": 0.75, "sharpness": None}


def cells(tmp_path: Path) -> list[launch.Cell]:
    return launch.plan(Draft.of(parse("optimizer: sam\nepochs: 2", "x"), CATALOGUE).expand(), tmp_path)


def go(shown: progress.PlainProgress, cell: launch.Cell, status: str) -> None:
    with shown:
        shown.started(cell)
        shown.epoch_done(cell, ROW | {"epoch": 1})
        shown.epoch_done(cell, ROW | {"sharpness": 0.01})
        shown.ended(cell, status, "The reason.")


def test_plain_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (cell,) = cells(tmp_path)
    go(progress.PlainProgress([cell]), cell, "finished")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "run 1/1  digits cnn sam rho=0.05 seed 0",
        "  epoch 2/2  loss 0.5000  test accuracy 0.7500  sharpness 0.0100",
    ]
    go(progress.PlainProgress([cell]), cell, "diverged")
    assert "  digits cnn sam rho=0.05 seed 0 diverged. The reason." in capsys.readouterr().err


def test_the_last_line_of_a_run_that_ended_before_its_last_epoch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (cell,) = cells(tmp_path)
    shown = progress.PlainProgress([cell])
    shown.started(cell)
    shown.epoch_done(cell, ROW | {"epoch": 1})
    shown.ended(cell, "finished", "")
    assert capsys.readouterr().err.splitlines()[1:] == ["  epoch 1/2  loss 0.5000  test accuracy 0.7500"]
    bars = progress.RichProgress([cell])
    bars.started(cell)
    bars.epoch_done(cell, ROW | {"epoch": 1})
    bars.ended(cell, "finished", "")
    assert [task.remaining for task in bars._bars.tasks] == [0]


def test_bars(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "150")
    (cell,) = cells(tmp_path)
    go(progress.RichProgress([cell]), cell, "failed")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "failed. The reason." in captured.err


def test_bars_only_for_a_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert type(progress.progress_for(cells(tmp_path))) is progress.PlainProgress
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert type(progress.progress_for(cells(tmp_path))) is progress.RichProgress
