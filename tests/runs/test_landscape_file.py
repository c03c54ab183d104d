"""Slices that are kept beside a checkpoint."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from samcli.runs.landscape_file import LandscapeFile

KEY = {"dimensions": 1, "directions": "random", "span": 1.0, "points": 3, "examples": 100, "seed": 0}


def entry_of(losses: list[float], **key: Any) -> dict[str, Any]:
    axes = [[-1.0, 0.0, 1.0]]
    return {
        "key": KEY | key,
        "loss": "nats",
        "axes": axes,
        "losses": losses,
        "examples": 90,
        "converged": True,
    }


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    file = tmp_path / "checkpoint.pt"
    file.write_bytes(b"weights")
    return file


def test_a_slice_comes_back_and_a_second_one_of_its_kind_takes_its_place(checkpoint: Path) -> None:
    LandscapeFile(checkpoint).add([entry_of([1.0, 0.5, math.inf])], epoch=3)
    LandscapeFile(checkpoint).add([entry_of([1.0, 0.1, 2.0], seed=1)], epoch=3)
    again = LandscapeFile(checkpoint)
    assert [entry["losses"] for entry in again.entries] == [[1.0, 0.5, "inf"], [1.0, 0.1, 2.0]]
    again.add([entry_of([3.0, 0.5, 3.0])], epoch=3)
    assert [entry["losses"] for entry in LandscapeFile(checkpoint).entries] == [[1.0, 0.1, 2.0], [3.0, 0.5, 3.0]]


def test_slices_of_another_checkpoint_are_none(checkpoint: Path) -> None:
    LandscapeFile(checkpoint).add([entry_of([1.0, 0.5, 1.0])], epoch=3)
    checkpoint.write_bytes(b"others")
    assert LandscapeFile(checkpoint).entries == []


@pytest.mark.parametrize(
    "odd",
    [
        entry_of([1.0, 0.5]),
        entry_of([1.0, 0.5, 1.0], dimensions=2),
        entry_of([1.0, 0.5, 1.0], dimensions=3),
        entry_of([1.0, 0.5, 1.0]) | {"axes": [["a", 0.0, 1.0]]},
        entry_of([1.0, 0.5, 1.0]) | {"losses": "low"},
        entry_of([]) | {"axes": [[]]},
        entry_of([1.0, 0.5, 1.0]) | {"axes": [[0.0, 0.0, 0.0]]},
        entry_of([1.0, 0.5, 1.0]) | {"axes": [[-1e308, 0.0, 1e308]]},
        entry_of([1.0, 1e308, 1.0]),
    ],
)
def test_a_slice_that_samcli_does_not_write_is_none(odd: dict[str, Any], checkpoint: Path) -> None:
    LandscapeFile(checkpoint).add([entry_of([1.0, 0.5, 1.0])], epoch=3)
    file = checkpoint.with_name("landscape.json")
    document = json.loads(file.read_text())
    file.write_text(json.dumps(document | {"slices": [odd, *document["slices"]]}))
    assert LandscapeFile(checkpoint).entries == [entry_of([1.0, 0.5, 1.0])]
