"""A small grid, and whether another engine trained it to the same bits as the local one."""

from pathlib import Path

import torch
from recorder import Recorder
from small_run import TIMES

from samcli import launch
from samcli.config import Draft, parse
from samcli.launch import Cell
from samcli.train import CATALOGUE

TEXT = """
name: small
dataset: {name: digits, train_examples: 200}
model: mlp
epochs: EPOCHS
batch_size: 25
sharpness: {every: 0}
optimizer: [sgd, sam]
seeds: 0-1
"""
CPU = torch.device("cpu")


def plan(results: Path, epochs: int = 3, text: str = TEXT) -> list[Cell]:
    return launch.plan(Draft.of(parse(text.replace("EPOCHS", str(epochs)), "x"), CATALOGUE).expand(), results)


def check_equal(cells: list[Cell], others: list[Cell]) -> None:
    """Rows and weights are the same bit for bit, times aside."""
    for a, b in zip(cells, others, strict=True):
        first, second = (
            [{key: value for key, value in row.items() if key not in TIMES} for row in cell.folder.read_metrics()]
            for cell in (a, b)
        )
        assert first == second
        one, other = (torch.load(cell.folder.checkpoint, weights_only=True)["model"] for cell in (a, b))
        assert all(torch.equal(one[name], other[name]) for name in one)


def trained_here(results: Path, epochs: int, text: str = TEXT) -> list[Cell]:
    """The same runs by the local engine, one thread each."""
    slots = launch.slots_of(4, [0, 1], [CPU], jobs=2, threads=1)
    launch.run_at_once(plan(results, epochs, text), launch.Terms(Path("data"), CPU), Recorder(), slots)
    return plan(results, epochs, text)
