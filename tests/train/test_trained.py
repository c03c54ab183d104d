"""Reading a trained model back."""

import shutil
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


def change(file: Path, **parts: object) -> None:
    checkpoint.save(file, checkpoint.load(file) | parts)


def test_checkpoint_of_an_unknown_configuration(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    train_run(config_of("epochs=1"), RunFolder(tmp_path / "run"), **places)
    loose = (tmp_path / "run" / "checkpoint.pt").rename(tmp_path / "loose.pt")
    change(loose, config={**config_of().document(), "model": {"name": "perceiver"}})
    with pytest.raises(CheckpointError, match="does not fit this version of samcli"):
        load_trained(loose, **places)


def test_checkpoint_with_other_weights(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    train_run(config_of("epochs=1"), RunFolder(tmp_path / "run"), **places)
    change(tmp_path / "run" / "checkpoint.pt", model={"w": torch.ones(1)})
    with pytest.raises(CheckpointError, match="does not fit"):
        load_trained(tmp_path / "run", **places)


def test_checkpoint_of_another_run_than_its_folders(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    """What is shown under the folder's name is to be that run's; taken from its folder, it is shown as it is."""
    for seed in (0, 1):
        train_run(config_of("epochs=1", f"seeds={seed}"), RunFolder(tmp_path / f"run{seed}"), **places)
    shutil.copy(tmp_path / "run1" / "checkpoint.pt", tmp_path / "run0" / "checkpoint.pt")
    with pytest.raises(CheckpointError, match=r"belongs to another run \(seeds is 1 there and 0 here\)"):
        load_trained(tmp_path / "run0", **places)
    shutil.copy(tmp_path / "run1" / "checkpoint.pt", tmp_path / "run0" / "other.pt")
    assert load_trained(tmp_path / "run0" / "other.pt", **places).config.seed == 1


def test_other_files_of_the_folder_may_be_garbage(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    train_run(config_of("epochs=1"), folder, **places)
    for file in (folder.config, folder.run):
        file.write_text("[" * 10_000)
    assert load_trained(folder.path, **places).epoch == 1
