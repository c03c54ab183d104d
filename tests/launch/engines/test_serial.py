"""Runs one after the other: what goes wrong in one does not stop the others, what stops all is passed on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from recorder import Recorder

from samcli import launch
from samcli.config import Draft, RunConfig, parse
from samcli.errors import CheckpointError, Interrupted, ResultsError
from samcli.runs.folder import RunFolder
from samcli.train import CATALOGUE

TEXT = """
name: small
dataset: {name: digits, train_examples: 50}
model: mlp
epochs: 2
batch_size: 25
sharpness: {every: 0}
optimizer: [sgd, sam, {name: sgd, lr: 1e30}]
"""


Go = Callable[[], tuple[list[str], Recorder]]


@pytest.fixture
def go(tmp_path: Path) -> Go:
    def run() -> tuple[list[str], Recorder]:
        recorder = Recorder()
        cells = launch.plan(Draft.of(parse(TEXT, "x"), CATALOGUE).expand(), tmp_path)
        outcome = launch.run_all(cells, launch.Terms(tmp_path, torch.device("cpu")), recorder)
        return list(outcome.values()), recorder

    return run


def test_all_runs_and_then_none(go: Go) -> None:
    outcome, recorder = go()
    assert outcome == ["finished", "finished", "diverged"]
    assert recorder.events[:8] == [
        ("started", "sgd"),
        ("epoch", 1),
        ("epoch", 2),
        ("ended", "finished", ""),
        ("started", "sam"),
        ("epoch", 1),
        ("epoch", 2),
        ("ended", "finished", ""),
    ]
    assert "a smaller value of lr 1e+30 may help" in str(recorder.events[-1][2])
    outcome, recorder = go()
    assert outcome == ["finished", "finished", "diverged"]
    assert recorder.events == []


@pytest.mark.parametrize(
    "error", [CheckpointError("damaged; do this."), RuntimeError("a defect"), FileNotFoundError("of a plug-in")]
)
def test_a_failing_run_does_not_stop_the_others(go: Go, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    from samcli.launch import cell

    train = cell.train_run

    def failing(config: RunConfig, folder: RunFolder, **options: Any) -> str:
        if config.optimizer["name"] == "sam":
            raise error
        return train(config, folder, **options)

    monkeypatch.setattr(cell, "train_run", failing)
    outcome, recorder = go()
    assert outcome == ["finished", "failed", "diverged"]
    (message,) = [event[2] for event in recorder.events if event[:2] == ("ended", "failed")]
    assert str(error) in str(message)
    assert ("Traceback" in str(message)) == (not isinstance(error, CheckpointError))


@pytest.mark.parametrize("error", [Interrupted("stop"), ResultsError("full"), OSError(28, "No space left on device")])
def test_what_stops_everything(go: Go, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def failing(*args: object, **options: object) -> str:
        raise error

    monkeypatch.setattr("samcli.launch.cell.train_run", failing)
    with pytest.raises(type(error)):
        go()


@pytest.mark.parametrize("name", ["metrics.csv", "config.yaml", "run.json", ""])
def test_what_stands_in_the_place_of_one_run_ends_that_run_alone(go: Go, tmp_path: Path, name: str) -> None:
    (first, *_) = launch.plan(Draft.of(parse(TEXT, "x"), CATALOGUE).expand(), tmp_path)
    if name:
        (first.folder.path / name).mkdir(parents=True)
    else:
        first.folder.path.parent.mkdir(parents=True)
        first.folder.path.write_text("a file where the folder would be")
    outcome, recorder = go()
    assert outcome == ["failed", "finished", "diverged"]
    (message,) = [told[2] for told in recorder.events if told[:2] == ("ended", "failed")]
    assert str(message).endswith("Move what stands there away, then run the same command again.")
