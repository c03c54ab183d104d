"""The weights of the epoch that is best on the validation part, kept beside the last ones."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from small_run import TIMES, MakeConfig, Places

from samcli.config import RunConfig
from samcli.errors import ConfigError
from samcli.runs import checkpoint
from samcli.runs.folder import RunFolder
from samcli.train import saver, train_run
from samcli.train.best import best_epoch
from samcli.train.measured import measure_checkpoint
from samcli.train.session import Session
from samcli.train.trained import load_trained

RUN = ("epochs=6", "keep=best", "optimizer.lr=0.1", "dataset.validation=0.3", "seeds=1")


def content(file: Path) -> dict[str, Any]:
    """A checkpoint without what is another one each time."""
    found = checkpoint.load(file)
    found["rows"] = [{k: v for k, v in row.items() if k not in TIMES} for row in found["rows"]]
    return found


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return (
        one["rows"] == other["rows"]
        and one["epoch"] == other["epoch"]
        and all(torch.equal(tensor, other["model"][name]) for name, tensor in one["model"].items())
    )


@pytest.fixture
def config(config_of: MakeConfig) -> RunConfig:
    return config_of(*RUN)


@pytest.fixture
def whole(config: RunConfig, places: Places, tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "whole")
    train_run(config, folder, **places)
    return folder


def test_the_best_epoch_is_told_and_follows_from_the_table(config: RunConfig, places: Places, whole: RunFolder) -> None:
    rows = whole.read_metrics()
    best = best_epoch(rows, "accuracy")
    scores = [row["validation_accuracy"] or 0.0 for row in rows]
    assert best == scores.index(max(scores)) + 1
    assert 1 < best < 6  # otherwise this test shows nothing
    assert whole.read_status()["best_epoch"] == best
    session = Session(config, **places)
    while session.epoch < best:
        session.train_epoch()
    kept = checkpoint.load(whole.best)
    assert kept["epoch"] == best
    assert all(torch.equal(tensor, kept["model"][name]) for name, tensor in session.model.state_dict().items())
    assert checkpoint.load(whole.checkpoint)["epoch"] == 6
    assert not whole.next_best.exists()


def test_wherever_it_is_killed_the_resumed_run_keeps_the_same(
    config: RunConfig, places: Places, whole: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file of an epoch is once the first that is not written, or written and not yet renamed."""
    write, replace, calls = saver.write_atomic, os.replace, 0

    class Killed(Exception):
        pass

    def counted(function: Any, stop: int) -> Any:
        def call(*arguments: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == stop:
                raise Killed
            return function(*arguments)

        return call

    stop, killed = 1, True
    while killed:
        folder, calls = RunFolder(tmp_path / f"killed-{stop}"), 0
        with monkeypatch.context() as patch:
            patch.setattr(saver, "write_atomic", counted(write, stop))
            patch.setattr(saver, "os", type("OS", (), {"replace": staticmethod(counted(replace, stop))}))
            try:
                train_run(config, folder, **places)
                killed = False
            except Killed:
                pass
        if killed:
            assert train_run(config, folder, **places) == "finished"
        assert same(content(folder.best), content(whole.best)), stop
        assert same(content(folder.checkpoint), content(whole.checkpoint))
        assert folder.read_status()["best_epoch"] == whole.read_status()["best_epoch"]
        assert not folder.next_best.exists()
        stop += 1
    assert stop > 9  # six checkpoints, and two writes for each best


def test_a_run_that_begins_anew_forgets_its_best(config: RunConfig, places: Places, whole: RunFolder) -> None:
    before = whole.read_status()
    whole.write_status({**before, "status": "interrupted", "best_epoch": None})
    whole.checkpoint.unlink()
    stopped: list[bool] = []

    def stop() -> bool:
        stopped.append(whole.best.exists())
        return True

    with pytest.raises(BaseException, match="Interrupted"):
        train_run(config, whole, **places, should_stop=stop)
    assert stopped == [False]


def test_it_is_read_as_the_last_one_is(config: RunConfig, places: Places, whole: RunFolder) -> None:
    trained = load_trained(whole.best, data_dir=None, device=places["device"])
    assert trained.epoch == whole.read_status()["best_epoch"]
    how = {"examples": 50, "parameters": {}, "device": places["device"]}
    best, last = (measure_checkpoint(file, ["grad-norm"], **how) for file in (whole.best, whole.checkpoint))  # type: ignore[arg-type]
    assert best.run == "whole/best"
    assert best.values["grad-norm"].value != last.values["grad-norm"].value
    assert sorted(file.name for file in whole.path.glob("*sharpness.json")) == ["best.sharpness.json", "sharpness.json"]


def test_without_a_validation_part_it_is_a_sentence(config_of: MakeConfig, places: Places) -> None:
    with pytest.raises(ConfigError) as caught:
        Session(config_of(*RUN, "dataset.validation=0.0"), **places)
    assert str(caught.value) == (
        "keep: best needs a validation part, and digits has none here; set dataset.validation: 0.1, or keep: last."
    )


def test_the_default_is_part_of_no_identity(config_of: MakeConfig) -> None:
    assert config_of("keep=last").identity == config_of().identity
    assert config_of("keep=best").identity != config_of().identity
