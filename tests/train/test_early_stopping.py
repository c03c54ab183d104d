"""Runs with `patience`: when they end, and that what they leave is the network of their best epoch."""

from pathlib import Path
from typing import Any

import pytest
import torch
from small_run import TIMES, MakeConfig, Places

from samcli.config import stage_runs
from samcli.errors import ConfigError, Interrupted, UnusableCheckpoint
from samcli.launch.plan import plan
from samcli.metrics import EPOCH_OF_NETWORK
from samcli.report import compare
from samcli.runs import EpochMetrics, checkpoint, scan
from samcli.runs.folder import RunFolder
from samcli.train import train_run
from samcli.train.best import best_epoch
from samcli.train.continuing import session_of
from samcli.train.evaluation import evaluate
from samcli.train.measured import measure_checkpoint
from samcli.train.session import Session
from samcli.train.trained import load_trained

TEXT = """
name: early
dataset: {name: digits, train_examples: 200, label_noise: 0.4, validation: 0.2}
model: {name: mlp, hidden: 32, norm: batch, dropout: 0.1}
epochs: 20
batch_size: 16
sharpness: {examples: 50, every: 3}
optimizer: {name: sam, lr: 0.2, rho: 0.05}
"""
EVALUATED = ("validation_loss", "validation_accuracy", "test_loss", "test_accuracy")


def rows(folder: RunFolder) -> list[dict[str, Any]]:
    """A table without times."""
    table = checkpoint.load(folder.checkpoint)["rows"]
    return [{key: value for key, value in row.items() if key not in TIMES} for row in table]


def trained(folder: Path, places: Places, config_of: MakeConfig, *changes: str) -> RunFolder:
    found = RunFolder(folder)
    assert train_run(config_of(*changes, text=TEXT), found, **places) == "finished"
    return found


@pytest.mark.parametrize(("every", "patience"), [(1, 3), (2, 3), (1, 1)])
def test_it_is_the_run_without_it_cut_off_and_read_at_its_best(
    every: int, patience: int, config_of: MakeConfig, places: Places, tmp_path: Path
) -> None:
    """By a plain reading of the table of the whole run: no step is another one."""
    whole = rows(trained(tmp_path / "whole", places, config_of, f"evaluate.every={every}"))
    early = rows(trained(tmp_path / "early", places, config_of, f"evaluate.every={every}", f"patience={patience}"))

    end, best = 0, 0
    for row in whole:
        score = row.get("validation_accuracy")
        end = row["epoch"]
        if score is None:
            continue
        if best == 0 or score > whole[best - 1]["validation_accuracy"]:
            best = end
        if end - best >= patience:
            break
    assert len(early) == end < 20
    assert early[-1][EPOCH_OF_NETWORK] == best == best_epoch(whole[:end], "accuracy")
    for name in EVALUATED:
        assert early[-1][name] == whole[best - 1][name]
    for ours, theirs in zip(early, whole, strict=False):
        assert (ours["train_loss"], ours["gradient_evaluations"]) == (
            theirs["train_loss"],
            theirs["gradient_evaluations"],
        )
        assert (ours.get("test_loss") is None) == (theirs.get("test_loss") is None)


def test_the_checkpoint_is_the_network_that_the_rows_tell_of(
    config_of: MakeConfig, places: Places, tmp_path: Path
) -> None:
    """It is the best epoch's of the run that goes on, and its sharpness is measured as the table has it."""
    folder = trained(tmp_path / "early", places, config_of, "patience=3")
    row, loaded = folder.read_metrics()[-1], load_trained(folder.checkpoint, **places)
    assert row["epoch"] != row[EPOCH_OF_NETWORK]
    assert evaluate(loaded.model, loaded.data.task, loaded.data.test) == (row["test_loss"], row["test_accuracy"])
    again = measure_checkpoint(folder.checkpoint, ["one-step"], examples=50, parameters={"rho": 0.05}, **places)
    assert again.values["one-step"].value == row["sharpness"]

    whole = Session(config_of(text=TEXT), **places)
    while whole.epoch < (row[EPOCH_OF_NETWORK] or 0):
        whole.train_epoch()
    found = checkpoint.load(folder.checkpoint)["model"]
    assert all(torch.equal(tensor, found[name]) for name, tensor in whole.model.state_dict().items())


def test_wherever_it_is_interrupted_it_ends_as_the_whole_one(
    config_of: MakeConfig, places: Places, tmp_path: Path
) -> None:
    config = config_of("patience=3", "evaluate.every=2", text=TEXT)
    whole, parts = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "parts")
    train_run(config, whole, **places)
    length = len(rows(whole))
    assert 3 < length < 20

    def stop(row: EpochMetrics) -> None:
        raise KeyboardInterrupt

    for _ in range(length):
        with pytest.raises(Interrupted):
            train_run(config, parts, on_epoch=stop, **places)
    assert train_run(config, parts, **places) == "finished"
    assert rows(whole) == rows(parts)
    first, second = (checkpoint.load(folder.checkpoint) for folder in (whole, parts))
    for one, other in (
        (first["model"], second["model"]),
        (first["early_stopping"]["goes_on_from"], second["early_stopping"]["goes_on_from"]),
    ):
        assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())


def test_a_finished_one_is_whole_and_compared(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    config = config_of("patience=3", text=TEXT)
    (cell,) = plan([config], tmp_path)
    train_run(config, cell.folder, **places)
    (again,) = plan([config], tmp_path)
    assert again.state == "finished"
    found, warnings = scan([tmp_path])
    assert warnings == []
    last = cell.folder.read_metrics()[-1]
    assert (
        f"Runs with early stopping ended after {last['epoch']} epochs and are read at the network that is best on "
        f"validation, of epoch {last[EPOCH_OF_NETWORK]:.0f}; their cost is all that they trained."
    ) in compare(found).notes


def test_a_stage_hands_over_its_best_network(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    stage = "stages: [{patience: 1, epochs: 20, optimizer: {name: sam, lr: 0.2, rho: 0.05}}]\n"
    config = config_of("epochs=1", text=stage + TEXT.replace("lr: 0.2", "lr: 0.0"))
    folder = RunFolder(tmp_path / "a/run")
    assert train_run(config, folder, **places) == "finished"
    (before,) = stage_runs(config)
    first = Session(before, **places)
    while not first.finished:
        first.train_epoch()
    found = checkpoint.load(folder.checkpoint)["model"]
    assert all(torch.equal(found[name], p) for name, p in first.network.named_parameters())
    assert not all(torch.equal(found[name], p) for name, p in first.model.named_parameters())


def test_a_checkpoint_with_one_network_is_put_aside(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    config, folder, told = config_of("patience=3", text=TEXT), RunFolder(tmp_path / "run"), list[str]()
    folder.path.mkdir()
    session = Session(config, **places)
    session.train_epoch()
    state = session.state()
    checkpoint.save(folder.checkpoint, {key: value for key, value in state.items() if key != "early_stopping"})
    assert session_of(config, folder, on_notice=told.append, **places).epoch == 0
    assert "it has one network where early stopping has two" in told[0]
    checkpoint.save(folder.checkpoint, {**state, "early_stopping": {}})
    with pytest.raises(UnusableCheckpoint, match=r"early_stopping"):
        load_trained(folder.checkpoint, **places)


def test_without_a_validation_part_it_is_a_sentence(config_of: MakeConfig, places: Places) -> None:
    with pytest.raises(ConfigError, match=r"^patience needs a validation part, and digits has none here; set"):
        Session(config_of("patience=3", "dataset.validation=0.0", text=TEXT), **places)


def test_runs_without_it_are_what_they_were(config_of: MakeConfig) -> None:
    assert config_of("patience=null", text=TEXT).identity == config_of(text=TEXT).identity
    assert config_of("patience=3", text=TEXT).identity != config_of(text=TEXT).identity
