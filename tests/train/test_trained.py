"""Reading a trained model back."""

from pathlib import Path

import pytest
import torch
from small_run import MakeConfig, Places

from samcli.errors import CheckpointError
from samcli.runs import checkpoint
from samcli.runs.folder import RunFolder
from samcli.train import load_trained, train_run
from samcli.train.evaluation import evaluate


def test_gives_the_numbers_of_the_last_row(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    config = config_of("epochs=2")
    train_run(config, folder, **places)
    for path in (folder.path, folder.checkpoint):
        trained = load_trained(path, **places)
        assert trained.config == config
        assert trained.epoch == 2
        loss, score = evaluate(trained.model, trained.data.task, trained.data.test)
        last = folder.read_metrics()[-1]
        assert (loss, score) == (last["test_loss"], last["test_accuracy"])


def test_checkpoint_of_an_unknown_configuration(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    document = {**config_of().document(), "model": {"name": "perceiver"}}
    file = tmp_path / "checkpoint.pt"
    checkpoint.save(file, {"config": document, "model": {}, "epoch": 1})
    with pytest.raises(CheckpointError, match="does not fit this version of samcli"):
        load_trained(file, **places)


def test_checkpoint_with_other_weights(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    file = tmp_path / "checkpoint.pt"
    content = {"config": config_of().document(), "model": {"w": torch.ones(1)}, "epoch": 1}
    checkpoint.save(file, content)
    with pytest.raises(CheckpointError, match="does not fit"):
        load_trained(file, **places)
