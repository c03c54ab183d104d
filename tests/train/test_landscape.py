"""Landscapes of checkpoints are measured on the data that the runs recorded."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from small_run import MakeConfig, Places

from samcli.errors import CheckpointError, ConfigError
from samcli.runs import checkpoint
from samcli.runs.folder import RunFolder
from samcli.train import train_run
from samcli.train.landscape import survey_line, survey_slice

ALL: dict[str, Any] = {"examples": 10_000, "seed": 0, "data_dir": None, "device": torch.device("cpu")}


@pytest.fixture
def train(config_of: MakeConfig, places: Places, tmp_path: Path) -> Callable[..., RunFolder]:
    def make(name: str, *assignments: str) -> RunFolder:
        folder = RunFolder(tmp_path / name)
        train_run(config_of("epochs=1", "dataset.train_examples=60", *assignments), folder, **places)
        return folder

    return make


def test_the_centre_of_a_slice_is_what_the_run_ended_with(train: Callable[..., RunFolder]) -> None:
    folder = train("run", "model=mlp")
    sliced = survey_slice(folder.checkpoint, points=3, span=0.1, **ALL)
    assert sliced.loss == "cross-entropy in nats"
    assert sliced.configs[0]["model"]["name"] == "mlp"
    line = survey_line(folder.checkpoint, folder.checkpoint, points=5, **ALL)
    assert line.same_data
    assert line.landscapes["train"].examples == sliced.landscapes["train"].examples == 54  # a tenth is held out
    assert torch.all(line.landscapes["train"].losses == sliced.landscapes["train"].losses[1])
    last = folder.read_metrics()[-1]
    # another size of batches, fp32
    assert line.landscapes["test"].losses[1] == pytest.approx(last["test_loss"], rel=1e-6)


def test_line_says_when_the_runs_had_different_data(train: Callable[..., RunFolder]) -> None:
    first, last = train("first", "model=mlp"), train("last", "model=mlp", "seeds=1")
    found = survey_line(first.checkpoint, last.checkpoint, points=5, **ALL)
    assert not found.same_data
    # inputs are normalised by the first run's examples
    assert found.landscapes["test"].losses[3] == pytest.approx(last.read_metrics()[-1]["test_loss"], rel=1e-3)


def test_two_architectures(train: Callable[..., RunFolder]) -> None:
    first, last = train("first", "model=mlp"), train("last", "model=linear")
    with pytest.raises(ConfigError, match=r"first/checkpoint.pt is mlp and .*last/checkpoint.pt is linear. The two ne"):
        survey_line(first.checkpoint, last.checkpoint, points=5, **ALL)


def test_diverged_weights(train: Callable[..., RunFolder]) -> None:
    folder = train("run", "model=mlp")
    content = checkpoint.load(folder.checkpoint)
    next(iter(content["model"].values())).fill_(float("nan"))
    checkpoint.save(folder.checkpoint, content)
    with pytest.raises(CheckpointError, match="not finite: the run diverged"):
        survey_slice(folder.checkpoint, **ALL)
