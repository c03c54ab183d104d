"""What is left to do is read from the results folder alone."""

import os
import socket
from pathlib import Path

import pytest

from samcli import launch
from samcli.config import Draft, RunConfig, parse
from samcli.errors import ConfigError, DataError
from samcli.train import CATALOGUE


def runs(text: str) -> list[RunConfig]:
    return Draft.of(parse(text, "x.yaml"), CATALOGUE).expand()


SMALL = "name: small\ndataset: {name: digits, train_examples: 50}\nepochs: 2\noptimizer: [sgd, sam]\n"


def test_states(tmp_path: Path):
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
    again = launch.plan(runs(SMALL + "seeds: 0-2"), tmp_path)
    assert [cell.state for cell in again] == ["finished", "resume", "diverged", "new", "busy", "resume"]
    assert [cell.to_do for cell in again] == [False, True, False, True, False, True]
    # a larger grid meets the same folders
    larger = launch.plan(runs(SMALL.replace("sam]", "sam, asam]") + "seeds: 0-3"), tmp_path)
    assert sum(cell.state == "finished" for cell in larger) == 1
    assert len(larger) == 12


@pytest.mark.parametrize(
    ("text", "error", "sentence"),
    [
        ("dataset: mnist", DataError, "MNIST is missing"),
        ("dataset: wine\nmodel: cnn", ConfigError, "models that fit: "),
        ("dataset: {name: digits, train_examples: 100000}", ConfigError, "train_examples"),
        ("model: torchvision:inception_v3", ConfigError, "inception_v3"),
    ],
)
def test_check_ahead(text: str, error: type[Exception], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def no_network(*args: object, **kwargs: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", no_network)
    cells = launch.plan(runs("optimizer: sgd\n" + text), tmp_path)
    with pytest.raises(error, match=sentence):
        launch.check_ahead(cells, tmp_path / "data")


def test_check_ahead_passes_over_what_is_finished(tmp_path: Path):
    (cell,) = launch.plan(runs("dataset: wine\nmodel: cnn\noptimizer: sgd\nepochs: 1"), tmp_path)
    cell.folder.write_status({"status": "finished", "epochs_done": 1})
    launch.check_ahead(launch.plan([cell.config], tmp_path), tmp_path)


@pytest.mark.parametrize(
    ("optimizer", "sentence"),
    [
        ("optimizer: sam-on", "no normalisation layer to train"),
        ("optimizer: {name: bsam, momentum: 0.9}", "momentum: 0 and weight_decay: 0"),
        ("optimizer: {name: msam, momentum: 0}", "give SGD a momentum above 0"),
        ("optimizer: {name: sampa, m: 8}", "leave m out"),
        ("optimizer: {name: sampa, processes: 2}\nprecision: fp16", "does not take precision: fp16"),
    ],
)
def test_check_ahead_finds_settings_that_the_rule_does_not_take(optimizer: str, sentence: str, tmp_path: Path):
    """Of any cell, not only of the first."""
    cells = launch.plan(runs("dataset: digits\nmodel: cnn\n" + optimizer), tmp_path)
    sound = launch.plan(runs("dataset: digits\nmodel: cnn\noptimizer: [sgd, bsam, msam, sampa]"), tmp_path)
    launch.check_ahead(sound, tmp_path)
    with pytest.raises(ConfigError, match=sentence):
        launch.check_ahead([*sound, *cells], tmp_path)


def test_a_run_that_ended_at_its_training_loss_is_finished(tmp_path: Path):
    text = "dataset: digits\nschedule: constant\noptimizer: sgd\nepochs: 9\nstop_at_train_loss: 0.5\n"
    (cell,) = launch.plan(runs(text), tmp_path)
    cell.folder.write_status({"status": "finished", "epochs_done": 4})
    (again,) = launch.plan(runs(text), tmp_path)
    assert (again.state, again.to_do) == ("finished", False)
    cell.folder.write_status({"status": "interrupted", "epochs_done": 4})
    assert launch.plan(runs(text), tmp_path)[0].to_do


def test_check_ahead_finds_measures_that_do_not_apply(tmp_path: Path):
    """Of any cell; what is sound is tried and passes, whatever state a measure needs."""
    digits = "dataset: digits\nmodel: mlp\n"
    sound = runs(digits + "optimizer: [{name: sam, base: adam}, adamw]\nsharpness: {measures: [lambda-max-adam]}")
    sound += runs(digits + "optimizer: sgd\nsharpness: {measures: [pac-bayes-sigma]}")
    cells = launch.plan(sound, tmp_path)
    launch.check_ahead(cells, tmp_path)
    for text, sentence in (
        (digits + "optimizer: [adam, sgd]\nsharpness: {measures: [lambda-max-adam]}", "needs the state of Adam"),
        ("dataset: diabetes\noptimizer: sgd\nsharpness: {measures: [pac-bayes-sigma]}", "count right answers"),
    ):
        with pytest.raises(ConfigError, match=sentence):
            launch.check_ahead([*cells, *launch.plan(runs(text), tmp_path)], tmp_path)
        launch.check_ahead(launch.plan(runs(text.replace("{measures", "{every: 0, measures")), tmp_path), tmp_path)
