"""What is kept comes back as JSON has it; for another checkpoint or version there is nothing."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

import samcli
from samcli.errors import ResultsError
from samcli.runs import beside_checkpoint
from samcli.runs.sharpness_file import SharpnessFile


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    (tmp_path / "checkpoint.pt").write_bytes(b"weights")
    return tmp_path / "checkpoint.pt"


KEY = {"measure": "x", "examples": 9}
DETAILS = {"examples": 9, "batch_norm": "evaluation"}


def entry_of(key: dict[str, Any], **fields: Any) -> dict[str, Any]:
    entry = {"label": "x", "key": key, "value": 1.0, "stderr": None, "converged": True, "details": DETAILS}
    return entry | fields


def test_round_trip(checkpoint: Path) -> None:
    key = {"measure": "x", "examples": 9, "rho": 0.1, "norms": (2.0, math.inf)}
    entry = entry_of(key, value=math.nan, details=DETAILS | {"values": [1.0, -math.inf]})
    assert SharpnessFile(checkpoint).find(key) is None
    SharpnessFile(checkpoint).add([entry], epoch=3)
    again = SharpnessFile(checkpoint)
    assert again.epoch == 3
    found = again.find(key)
    assert found is not None
    assert found["value"] is None
    assert found["details"] == DETAILS | {"values": [1.0, "-inf"]}
    assert again.find({**key, "rho": 0.2}) is None


def test_another_checkpoint_or_version(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    SharpnessFile(checkpoint).add([entry_of(KEY)], epoch=1)
    monkeypatch.setattr(samcli, "__version__", "99")
    assert SharpnessFile(checkpoint).entries == []
    monkeypatch.undo()
    assert len(SharpnessFile(checkpoint).entries) == 1
    checkpoint.write_bytes(b"others")
    assert SharpnessFile(checkpoint).epoch is None


@pytest.mark.parametrize("content", ["{", "[]", "", "[" * 10_000, '{"measured": NaN}'])
def test_a_damaged_file_is_none(content: str, checkpoint: Path) -> None:
    checkpoint.with_name("sharpness.json").write_text(content)
    assert SharpnessFile(checkpoint).entries == []


@pytest.mark.parametrize(
    "odd",
    [
        3,
        {},
        entry_of({}),
        entry_of({"measure": "x", "examples": "many"}),
        entry_of(KEY, value="large"),
        entry_of(KEY, converged="yes"),
        entry_of(KEY, details=DETAILS | {"rho": "x"}),
        entry_of(KEY, details={"examples": 9}),
        entry_of(KEY, details=[1]),
    ],
)
def test_an_entry_that_samcli_does_not_write_is_measured_anew(odd: object, checkpoint: Path) -> None:
    SharpnessFile(checkpoint).add([entry_of(KEY)], epoch=3)
    file = checkpoint.with_name("sharpness.json")
    document = json.loads(file.read_text())
    document["measured"].insert(0, odd)
    file.write_text(json.dumps(document))
    assert SharpnessFile(checkpoint).entries == [entry_of(KEY)]
    for measured in (odd, [odd], None):
        file.write_text(json.dumps(document | {"measured": measured, "epoch": "x"}))
        assert (SharpnessFile(checkpoint).entries, SharpnessFile(checkpoint).epoch) == ([], None)


def test_where_nothing_can_be_written_it_lasts_as_long_as_the_object(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, data: str) -> None:
        raise ResultsError(f"Cannot write {path}: Read-only file system. Make room.")

    monkeypatch.setattr(beside_checkpoint, "write_atomic", refuse)
    kept = SharpnessFile(checkpoint)
    kept.add([entry_of(KEY)], epoch=3)
    assert kept.find(KEY) is not None
    assert str(kept.unwritten).endswith("sharpness.json: Read-only file system.")
    assert not checkpoint.with_name("sharpness.json").exists()
