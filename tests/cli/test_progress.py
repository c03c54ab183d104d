"""Progress on a terminal and elsewhere."""

import dataclasses
import io
from pathlib import Path

import pytest
from rich.console import Console

from samcli import launch
from samcli.cli import progress
from samcli.cli.display import Bar, Display, lines_of, lines_within
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


def test_runs_on_a_file_are_named_by_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not by its whole path, which leaves no room on a line; unless two files have that name."""

    def begun(*files: str) -> list[str]:
        text = f"{{dataset: {list(files)}, model: linear, optimizer: sgd}}"
        some = launch.plan(Draft.of(parse(text, "x"), CATALOGUE).expand(), tmp_path)
        shown = progress.PlainProgress(some)
        for cell in some:
            shown.started(cell)
        return capsys.readouterr().err.splitlines()

    assert begun("csv:/nowhere/a.csv", "wine") == [
        "run 1/2  a.csv linear sgd seed 0",
        "run 2/2  wine linear sgd seed 0",
    ]
    assert begun("csv:/here/a.csv", "csv:/there/a.csv")[1] == "run 2/2  csv:/there/a.csv linear sgd seed 0"


def test_what_several_runs_have_to_tell_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As that they begin with the tensors of one file; a run may repeat itself."""
    one, other = launch.plan(Draft.of(parse("{optimizer: sam, seeds: 0-1}", "x"), CATALOGUE).expand(), tmp_path)
    for shown in (progress.PlainProgress([one, other]), progress.RichProgress([one, other])):
        for cell, sentence in ((one, "Same."), (other, "Same."), (other, "Own."), (one, "Same.")):
            shown.noticed(cell, sentence)
        assert capsys.readouterr().err.split() == ["Same.", "Own.", "Same."]


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
    assert [(bar.done, bar.total) for bar in bars.bars()] == [(2, 2)]


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


BARS = [
    Bar("all runs", 300, 123),
    Bar("digits cnn sam rho=0.05 seed 0", 30, 16, "accuracy 0.9123", "loss 0.2501"),
]


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_count_score_and_time_left_are_there_at_every_width(width: int) -> None:
    whole, current = lines_of(BARS, width)
    assert "123/300 epochs" in whole
    for part in ("16/30 epochs", "accuracy 0.9123", "-:-- left", "seed 0"):
        assert part in current
    assert max(len(whole), len(current)) < width
    assert ("━" in current) == (width >= 120), "the bar goes first"


def test_the_time_left_goes_by_the_epochs_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    bar = Bar("a run that continues", 30, 10)
    monkeypatch.setattr("time.monotonic", lambda: 0.0)
    bar.begin()
    bar.done = 15
    monkeypatch.setattr("time.monotonic", lambda: 50.0)
    assert bar.left() == "2:30 left"
    monkeypatch.setattr("time.monotonic", lambda: 5000.0)
    assert bar.left() == "4:10:00 left"


def test_rows_that_a_narrower_terminal_broke_are_cleared() -> None:
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=120, height=30, legacy_windows=False)
    display = Display(lambda: BARS, console)
    with display:
        display.refresh()
        console.width = 60
        written.truncate(0)
        display.refresh()
        assert written.getvalue().count("\x1b[1A") == 3, "one row between the two, and one that each broke into"
        written.truncate(0)
        display.refresh()
        assert written.getvalue().count("\x1b[1A") == 1


def test_a_score_stays_until_the_next_evaluation(tmp_path: Path) -> None:
    (cell,) = cells(tmp_path)
    shown = progress.RichProgress([cell])
    shown.started(cell)
    shown.epoch_done(cell, ROW | {"epoch": 1})
    shown.epoch_done(cell, ROW | {"epoch": 2, "test_accuracy": None})
    assert "accuracy 0.7500" in lines_of(shown.bars(), 60)[1]


def test_no_bar_where_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert type(progress.progress_for([])) is progress.PlainProgress


@pytest.mark.parametrize("height", [5, 24, 50])
def test_no_more_lines_than_the_terminal_has(height: int) -> None:
    bars = [BARS[0], *[BARS[1]] * 64]
    lines = lines_within(bars, 80, height)
    assert len(lines) == height - 1
    assert lines[0].startswith("all runs")
    assert lines[-1] == f"and {65 - (height - 2)} more"
    assert lines_within(BARS, 80, height) == lines_of(BARS, 80)


def test_what_is_expected_counts_down(monkeypatch: pytest.MonkeyPatch) -> None:
    bar = Bar("a run", 30)
    monkeypatch.setattr("time.monotonic", lambda: 100.0)
    bar.expect(90.0)
    monkeypatch.setattr("time.monotonic", lambda: 120.0)
    assert bar.left() == "1:10 left"
    monkeypatch.setattr("time.monotonic", lambda: 500.0)
    assert bar.left() == "0:00 left"


def test_the_whole_knows_the_kinds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = launch.plan(Draft.of(parse("{optimizer: [sgd, sam], epochs: 2}", "x"), CATALOGUE).expand(), tmp_path)
    monkeypatch.setattr("time.monotonic", lambda: 0.0)
    shown = progress.RichProgress(plan, jobs=2)
    for cell, seconds in zip(plan, (10.0, 20.0), strict=True):
        shown.started(cell)
        shown.epoch_done(cell, ROW | {"epoch": 1, "train_seconds": seconds})
    assert [bar.left() for bar in shown.bars()] == ["0:20 left", "0:10 left", "0:20 left"]


def test_what_another_process_trains_takes_no_time_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = launch.plan(Draft.of(parse("{optimizer: sgd, epochs: 2, seeds: 0-1}", "x"), CATALOGUE).expand(), tmp_path)
    monkeypatch.setattr("time.monotonic", lambda: 0.0)
    shown = progress.RichProgress(plan)
    shown.noticed(dataclasses.replace(plan[1], state="busy"), "is being trained elsewhere.")
    shown.started(plan[0])
    shown.epoch_done(plan[0], ROW | {"epoch": 1, "train_seconds": 10.0})
    assert shown.bars()[0].left() == "0:10 left"
