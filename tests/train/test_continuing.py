"""Continuing from a checkpoint: what is another run's, damaged or unreadable is told apart, and nothing is lost."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas
import pytest
import torch
from small_run import MakeConfig, Places

from samcli.errors import CheckpointError, Interrupted
from samcli.runs import EpochMetrics, checkpoint, scan
from samcli.runs.folder import RunFolder
from samcli.train import train_run
from samcli.train.continuing import restore_files

TEXT = """
name: small
dataset: {name: digits, train_examples: 60}
model: mlp
epochs: 3
batch_size: 32
sharpness: {every: 0}
optimizer: {name: sam, lr: 0.05, rho: 0.1}
"""

Interrupt = Callable[..., RunFolder]


@pytest.fixture
def interrupted(config_of: MakeConfig, places: Places, tmp_path: Path) -> Interrupt:
    """A run that was stopped after its second epoch."""

    def stop(row: EpochMetrics) -> None:
        if row["epoch"] == 2:
            raise KeyboardInterrupt

    def make(*assignments: str) -> RunFolder:
        folder = RunFolder(tmp_path / "+".join(("run", *assignments)))
        with pytest.raises(Interrupted):
            train_run(config_of(*assignments, text=TEXT), folder, on_epoch=stop, **places)
        return folder

    return make


def train(config_of: MakeConfig, folder: RunFolder, places: Places) -> tuple[list[str], list[Any]]:
    """What was noticed, and the epochs that were trained."""
    notices: list[str] = []
    epochs: list[Any] = []
    train_run(
        config_of(text=TEXT),
        folder,
        on_notice=notices.append,
        on_epoch=lambda row: epochs.append(row["epoch"]),
        **places,
    )
    return notices, epochs


def test_an_own_checkpoint_is_continued(config_of: MakeConfig, places: Places, interrupted: Interrupt) -> None:
    assert train(config_of, interrupted(), places) == ([], [3])


@pytest.mark.parametrize(
    ("other", "difference"),
    [("seeds=1", "seeds is 1 there and 0 here"), ("optimizer.rho=0.2", "optimizer.rho is 0.2 there and 0.1 here")],
)
def test_the_checkpoint_of_another_run_is_put_aside(
    config_of: MakeConfig, places: Places, interrupted: Interrupt, other: str, difference: str
) -> None:
    mine, theirs = interrupted(), interrupted(other)
    content = theirs.checkpoint.read_bytes()
    mine.checkpoint.write_bytes(content)
    (notice,), epochs = train(config_of, mine, places)
    assert f"belongs to another run ({difference}). It is kept as checkpoint.foreign, and the run begins" in notice
    assert epochs == [1, 2, 3]
    assert (mine.path / "checkpoint.foreign").read_bytes() == content


def change(folder: RunFolder, alter: Callable[[dict[str, Any]], object]) -> None:
    content = checkpoint.load(folder.checkpoint)
    alter(content)
    checkpoint.save(folder.checkpoint, content)


@pytest.mark.parametrize(
    ("alter", "reason"),
    [
        (lambda c: c["model"].popitem(), "does not fit this run"),
        (lambda c: c["model"].update({next(iter(c["model"])): torch.zeros(7)}), "does not fit this run"),
        (lambda c: c["optimizer"].pop("param_groups"), "does not fit this run"),
        (lambda c: c["optimizer"]["param_groups"].clear(), "does not fit this run"),
        (lambda c: c["optimizer"]["param_groups"][0].update(momentum="x"), "the optimizer's momentum is 'x', not 0.9"),
        (lambda c: c["optimizer"]["param_groups"][0].update(momentum=True), "the optimizer's momentum is True"),
        (lambda c: c["optimizer"]["param_groups"][0].update(lr="x"), "the optimizer's lr is 'x'"),
        (lambda c: c["optimizer"]["param_groups"][0].pop("weight_decay"), "the optimizer's weight_decay is None"),
        (lambda c: c["optimizer"]["state"][0].update(momentum_buffer=torch.zeros(3)), "momentum_buffer does not fit"),
        (lambda c: c["optimizer"]["state"][0].update(momentum_buffer=["x"]), "momentum_buffer does not fit"),
        (lambda c: c["optimizer"]["sharpness_aware"].update(steps="x"), "does not fit this run"),
        (lambda c: c["random_state"].clear(), "does not fit this run"),
        (lambda c: c["random_state"].update(cpu=torch.zeros(3)), "does not fit this run"),
        (lambda c: c.pop("rows"), "has no rows"),
        (lambda c: c.update(epoch="two"), "has no sound value of epoch: 'two'"),
        (lambda c: c.update(epoch=1), "does not fit: it is of epoch 1 and has 2 rows"),
        (lambda c: c["rows"].reverse(), "does not fit: its table has the epochs 2, 1"),
        (lambda c: c["rows"][0].update(test_accuracy=5.0), "does not fit: its table has an impossible test_accuracy"),
        (lambda c: c.update(gradient_evaluations=-1), "has no sound value of gradient_evaluations: -1"),
        (lambda c: c.update(config=[1]), "has no sound value of config"),
        (lambda c: c.update(config={3: 4}), "has no sound value of config.3"),
    ],
)
def test_one_that_does_not_fit_is_put_aside(
    config_of: MakeConfig,
    places: Places,
    interrupted: Interrupt,
    alter: Callable[[dict[str, Any]], object],
    reason: str,
) -> None:
    folder = interrupted()
    change(folder, alter)
    (notice,), epochs = train(config_of, folder, places)
    assert reason in notice
    assert "\n" not in notice
    assert epochs == [1, 2, 3]
    assert (folder.path / "checkpoint.foreign").exists()


def test_flipped_bits_are_found_wherever_they_are(
    config_of: MakeConfig, places: Places, interrupted: Interrupt
) -> None:
    folder = interrupted()
    whole = folder.checkpoint.read_bytes()
    rng = random.Random(0)
    ends = [*range(len(whole) - 73, len(whole)), 0]  # the length of the digest, its mark, itself
    for position in [*(rng.randrange(len(whole)) for _ in range(200)), *ends]:
        flipped = bytearray(whole)
        flipped[position] ^= 1 << rng.randrange(8)
        folder.checkpoint.write_bytes(flipped)
        with pytest.raises(CheckpointError):
            checkpoint.load(folder.checkpoint)
    (notice,), epochs = train(config_of, folder, places)
    assert "kept as checkpoint.damaged" in notice
    assert epochs == [1, 2, 3]
    assert (folder.path / "checkpoint.damaged").read_bytes() == flipped


def test_a_second_damaged_one_does_not_replace_the_first(
    config_of: MakeConfig, places: Places, interrupted: Interrupt
) -> None:
    folder = interrupted()
    for text in ("first", "second"):
        folder.checkpoint.write_text(text)
        train(config_of, folder, places)
    assert (folder.path / "checkpoint.damaged").read_text() == "first"
    assert (folder.path / "checkpoint.damaged-2").read_text() == "second"


def test_one_that_cannot_be_read_for_the_moment_stays(
    config_of: MakeConfig, places: Places, interrupted: Interrupt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is trained, and the run goes on where it was once the file can be read."""
    folder = interrupted()
    whole = folder.checkpoint.read_bytes()

    def refuse(path: Path) -> object:
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "opened", refuse)
        with pytest.raises(CheckpointError, match=r"Cannot read .*checkpoint\.pt \(Permission denied\)"):
            train(config_of, folder, places)
    assert folder.checkpoint.read_bytes() == whole
    assert folder.read_status()["epochs_done"] == 2
    assert train(config_of, folder, places) == ([], [3])


def test_a_later_versions_stays(config_of: MakeConfig, places: Places, interrupted: Interrupt) -> None:
    folder = interrupted()
    change(folder, lambda content: content.update(version=99))
    content = torch.load(folder.checkpoint, weights_only=True) | {"version": 99}
    torch.save(content, folder.checkpoint)
    with pytest.raises(CheckpointError, match="has format version 99"):
        train(config_of, folder, places)
    assert not list(folder.path.glob("checkpoint.foreign*"))


def test_a_checkpoint_without_a_digest_is_read(config_of: MakeConfig, places: Places, interrupted: Interrupt) -> None:
    """One of an earlier version; it has torch's own check sums."""
    folder = interrupted()
    content = torch.load(folder.checkpoint, weights_only=True)
    torch.save(content, folder.checkpoint)
    whole = folder.checkpoint.read_bytes()
    # in the middle of a tensor
    position = whole.index(next(iter(content["model"].values())).numpy().tobytes()) + 5
    folder.checkpoint.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
    with pytest.raises(CheckpointError, match="is damaged"):
        checkpoint.load(folder.checkpoint)
    folder.checkpoint.write_bytes(whole)
    assert train(config_of, folder, places) == ([], [3])


@pytest.mark.parametrize("lost", ["config.yaml", "metrics.csv"])
@pytest.mark.parametrize("garbage", [None, "garbage"])
def test_lost_files_of_a_finished_run_are_restored(
    config_of: MakeConfig, places: Places, tmp_path: Path, lost: str, garbage: str | None
) -> None:
    folder, config = RunFolder(tmp_path / "run"), config_of(text=TEXT)
    train_run(config, folder, **places)
    before = {file.name: file.read_bytes() for file in folder.path.iterdir()}
    (folder.path / lost).unlink()
    if garbage:
        (folder.path / lost).write_text(garbage)
    assert train(config_of, folder, places) == ([], [])
    assert {file.name: file.read_bytes() for file in folder.path.iterdir()} == before


def test_what_cannot_be_restored_is_said(config_of: MakeConfig, places: Places, interrupted: Interrupt) -> None:
    folder = interrupted()
    assert not restore_files(config_of(text=TEXT), folder)  # its checkpoint is not of its last epoch
    assert not restore_files(config_of("seeds=1", text=TEXT), folder)
    folder.checkpoint.unlink()
    assert not restore_files(config_of(text=TEXT), folder)
    assert len(pandas.read_csv(folder.metrics)) == 2


@pytest.mark.parametrize("file", ["config.yaml", "metrics.csv", "run.json"])
def test_a_file_of_another_run_is_told_and_mended(
    config_of: MakeConfig, places: Places, tmp_path: Path, file: str
) -> None:
    """It is sound by itself: only the run's identity, and the digest of its table, tell that it is not its own."""
    mine, theirs = RunFolder(tmp_path / "mine"), RunFolder(tmp_path / "theirs")
    train_run(config_of(text=TEXT), mine, **places)
    train_run(config_of("seeds=1", text=TEXT), theirs, **places)
    rows = mine.read_metrics()
    (mine.path / file).write_bytes((theirs.path / file).read_bytes())
    runs, (warning,) = scan([tmp_path])
    assert [run.folder for run in runs] == [theirs.path]
    assert "of another run" in warning or "not the table that the run ended with" in warning
    assert train(config_of, mine, places) == ([], [])
    runs, warnings = scan([tmp_path])
    assert ([run.seed for run in runs], warnings) == ([0, 1], [])
    assert mine.read_metrics() == rows
