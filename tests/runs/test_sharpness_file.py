"""What is kept comes back as JSON has it; for another checkpoint or version there is nothing."""

import math
from pathlib import Path

import pytest

import samcli
from samcli.runs.sharpness_file import SharpnessFile


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    (tmp_path / "checkpoint.pt").write_bytes(b"weights")
    return tmp_path / "checkpoint.pt"


def test_round_trip(checkpoint: Path) -> None:
    key = {"measure": "x", "rho": 0.1, "norms": (2.0, math.inf)}
    entry = {"label": "x", "key": key, "value": math.nan, "details": {"values": [1.0, -math.inf]}}
    assert SharpnessFile(checkpoint).find(key) is None
    SharpnessFile(checkpoint).add([entry], epoch=3)
    again = SharpnessFile(checkpoint)
    assert again.epoch == 3
    found = again.find(key)
    assert found is not None
    assert found["value"] is None
    assert found["details"] == {"values": [1.0, "-inf"]}
    assert again.find({**key, "rho": 0.2}) is None


def test_another_checkpoint_or_version(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    SharpnessFile(checkpoint).add([{"label": "x", "key": {"a": 1}, "value": 1.0}], epoch=1)
    monkeypatch.setattr(samcli, "__version__", "99")
    assert SharpnessFile(checkpoint).entries == []
    monkeypatch.undo()
    assert len(SharpnessFile(checkpoint).entries) == 1
    checkpoint.write_bytes(b"others")
    assert SharpnessFile(checkpoint).epoch is None


@pytest.mark.parametrize("content", ["{", "[]", ""])
def test_a_damaged_file_is_none(content: str, checkpoint: Path) -> None:
    checkpoint.with_name("sharpness.json").write_text(content)
    assert SharpnessFile(checkpoint).entries == []
