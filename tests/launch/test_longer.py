"""More epochs than a finished run has: the run that goes on from it is the one that was trained so from the start."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from small_run import TIMES

from samcli import launch
from samcli.config import Draft, RunConfig, parse
from samcli.launch import Cell
from samcli.launch.cell import train_cell
from samcli.runs import checkpoint
from samcli.runs.folder import RunFolder
from samcli.train import CATALOGUE

TEXT = """
name: longer
dataset: {name: digits, train_examples: 120, validation: 0.2, augment: [crop]}
model: {name: mlp, hidden: 16, dropout: 0.2}
batch_size: 32
schedule: constant
sharpness: {examples: 40, measures: [one-step, grad-norm, lambda-max]}
"""


def config(*assignments: str) -> RunConfig:
    draft = Draft.of(parse(TEXT, "longer.yaml"), CATALOGUE)
    for assignment in assignments:
        draft.set(assignment)
    (run,) = draft.expand()
    return run


def planned(run: RunConfig, results: Path) -> Cell:
    (cell,) = launch.plan([run], results, data_dir=Path("data"))
    return cell


def train(cell: Cell) -> tuple[Cell, list[str]]:
    told: list[str] = []
    outcome = train_cell(cell, data_dir=Path("data"), device=torch.device("cpu"), on_notice=told.append)
    assert outcome == ("finished", "")
    return cell, told


def files(folder: RunFolder, name: str = "checkpoint.pt") -> dict[str, Any]:
    """What a run left, but for times."""
    content = checkpoint.load(folder.path / name)
    rows = [{key: value for key, value in row.items() if key not in TIMES} for row in content["rows"]]
    tensors = {key: tensor.tolist() for key, tensor in content["model"].items()}
    state = {
        f"{i} {k}": v.tolist() if isinstance(v, torch.Tensor) else v
        for i, kept in content["optimizer"]["state"].items()
        for k, v in kept.items()
    }
    table = [{k: v for k, v in row.items() if k not in TIMES} for row in folder.read_metrics()]
    tensors |= {f"trained {key}": t.tolist() for key, t in content.get("average", {}).get("goes_on_from", {}).items()}
    return {"rows": rows, "model": tensors, "state": state, "epoch": content["epoch"], "table": table}


@pytest.mark.parametrize(
    "more",
    [
        ["optimizer=sgd"],
        ["optimizer=sam", "optimizer.rho_schedule=lr", "schedule.warmup_epochs=1"],
        ["optimizer=sam", "optimizer.start_epoch=1", "optimizer.end_epoch=3", "optimizer.base=adamw"],
        ["optimizer=looksam", "schedule={name: multi-step, milestones: [1, 3], gamma: 0.1}"],
        ["optimizer=sgd", "evaluate.every=3", "sharpness.every=3"],
        ["optimizer=sgd", "evaluate.every=2", "keep=best", "seeds=4"],
        ["optimizer=sgd", "head_lr=0.3", "layer_decay=0.5", "optimizer.weight_decay=0.1", "decay=weights"],
        ["optimizer=sgd", "stop_at_train_loss=2.2"],
        ["optimizer=sgd", "optimizer.average=ema"],
    ],
    ids=" ".join,
)
def test_it_is_the_run_of_more_epochs_bit_for_bit(more: list[str], tmp_path: Path) -> None:
    short, _ = train(planned(config("epochs=2", *more), tmp_path / "results"))
    before = {file.name: file.read_bytes() for file in short.folder.path.iterdir()}
    cell = planned(config("epochs=5", *more), tmp_path / "results")
    assert (cell.state, cell.epochs_done, cell.shorter) == ("resume", 2, short.folder)
    grown, told = train(cell)
    assert told == []
    whole, _ = train(planned(config("epochs=5", *more), tmp_path / "others"))
    assert files(grown.folder) == files(whole.folder)
    if "keep=best" in more:
        assert files(grown.folder, "best.pt") == files(whole.folder, "best.pt")
    assert {file.name: file.read_bytes() for file in short.folder.path.iterdir()} == before
    assert grown.folder.read_status()["goes_on_from"] == short.folder.path.name
    assert planned(config("epochs=5", *more), tmp_path / "results").state == "finished"
    assert planned(config("epochs=2", *more), tmp_path / "results").state == "finished"


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (["schedule=cosine"], "the schedule cosine depends on the number of epochs"),
        (["optimizer=sam", "optimizer.rho_schedule=linear"], "rho_schedule linear falls until the last epoch"),
        (
            ["optimizer=sgd", "optimizer.average=swa", "optimizer.average_every=1"],
            "its average of the weights begins after a share of the epochs",
        ),
        (["optimizer=ae-sam"], "ae-sam looks at how much of the training is over"),
        (["optimizer=sparse-sam-d"], "sparse-sam-d looks at how much of the training is over"),
        (
            ["keep=best", "evaluate.every=3"],
            "keep: best would count epoch 2, which is not evaluated in a longer run",
        ),
    ],
)
def test_where_the_end_was_known_it_begins_anew(more: list[str], reason: str, tmp_path: Path) -> None:
    more = more if any("optimizer" in one for one in more) else [*more, "optimizer=sgd"]
    train(planned(config("epochs=2", *more), tmp_path))
    cell = planned(config("epochs=4", *more), tmp_path)
    assert (cell.state, cell.epochs_done, cell.detail, cell.shorter) == ("new", 0, reason, None)


def test_fewer_epochs_or_another_setting_begin_anew(tmp_path: Path) -> None:
    train(planned(config("epochs=3", "optimizer=sgd"), tmp_path))
    for more in (["epochs=2", "optimizer=sgd"], ["epochs=4", "optimizer=sgd", "optimizer.lr=0.2"]):
        cell = planned(config(*more), tmp_path)
        assert (cell.state, cell.detail, cell.shorter) == ("new", "", None)


def test_of_several_the_longest_is_taken_and_unfinished_ones_are_not(tmp_path: Path) -> None:
    folders = {}
    for epochs in (1, 3, 2):
        folders[epochs], _ = train(planned(config(f"epochs={epochs}", "optimizer=sgd"), tmp_path))
    assert planned(config("epochs=5", "optimizer=sgd"), tmp_path).shorter == folders[3].folder
    status = folders[3].folder.read_status()
    folders[3].folder.write_status({**status, "status": "interrupted"})
    assert planned(config("epochs=5", "optimizer=sgd"), tmp_path).shorter == folders[2].folder


def test_a_damaged_checkpoint_is_told_and_the_run_begins_anew(tmp_path: Path) -> None:
    short, _ = train(planned(config("epochs=1", "optimizer=sgd"), tmp_path / "results"))
    data = bytearray(short.folder.checkpoint.read_bytes())
    data[len(data) // 2] ^= 1
    short.folder.checkpoint.write_bytes(data)
    grown, told = train(planned(config("epochs=2", "optimizer=sgd"), tmp_path / "results"))
    (sentence,) = told
    assert sentence.startswith(f"It begins anew, and does not go on from {short.folder.path.name}: ")
    assert "is damaged" in sentence
    whole, _ = train(planned(config("epochs=2", "optimizer=sgd"), tmp_path / "others"))
    assert files(grown.folder) == files(whole.folder)


def test_other_data_since_begin_anew(tmp_path: Path) -> None:
    short, _ = train(planned(config("epochs=1", "optimizer=sgd"), tmp_path))
    status = short.folder.read_status()
    short.folder.run.write_text(json.dumps({**status, "dataset": {**status["dataset"], "digest": "0" * 64}}))
    cell = planned(config("epochs=2", "optimizer=sgd"), tmp_path)
    assert (cell.state, cell.detail) == ("new", "they were trained with other data of digits")
