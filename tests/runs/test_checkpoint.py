"""Checkpoints: what is refused, and why in words."""

import os
import pickle
import zipfile
from pathlib import Path

import pytest
import torch

from samcli.errors import CheckpointError
from samcli.runs import checkpoint


def test_round_trip(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint.pt"
    checkpoint.save(file, {"model": {"w": torch.arange(3.0)}, "rows": [{"epoch": 1, "rho": None}]})
    content = checkpoint.load(file)
    assert torch.equal(content["model"]["w"], torch.arange(3.0))
    assert content["rows"] == [{"epoch": 1, "rho": None}]
    assert os.listdir(tmp_path) == ["checkpoint.pt"]


class Evil:
    def __reduce__(self) -> object:
        return (os.mkdir, ("executed",))


def test_what_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    good = tmp_path / "good.pt"
    checkpoint.save(good, {"model": {"w": torch.zeros(100_000)}})
    truncated = tmp_path / "truncated.pt"
    truncated.write_bytes(good.read_bytes()[:200_000])
    damaged = tmp_path / "damaged.pt"
    content = bytearray(good.read_bytes())
    content[:2000] = bytes(2000)
    damaged.write_bytes(content)
    # the end of an archive of more than one disk, which Python's zipfile raises an error for
    several = tmp_path / "several.pt"
    several.write_bytes(b"PK\x06\x07" + b"\xff" * 16 + b"PK\x05\x06" + bytes(18))
    vast = tmp_path / "vast.pt"
    with vast.open("wb") as file:
        file.truncate(2**40)  # a terabyte of nothing, which takes no place
    bomb = tmp_path / "bomb.pt"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(1_000_000))
    code = tmp_path / "code.pt"
    torch.save({"format": checkpoint.FORMAT, "version": 1, "x": Evil()}, code)
    pickled = tmp_path / "pickle.pt"
    pickled.write_bytes(pickle.dumps(Evil()))
    foreign = tmp_path / "foreign.pt"
    torch.save({"state_dict": {}}, foreign)
    tensor = tmp_path / "tensor.pt"
    torch.save(torch.ones(2), tensor)
    later = tmp_path / "later.pt"
    torch.save({"format": checkpoint.FORMAT, "version": 99}, later)
    odd = [tmp_path / f"odd{number}.pt" for number in range(2)]
    torch.save({"format": checkpoint.FORMAT, "version": torch.zeros(3)}, odd[0])
    torch.save({"format": torch.zeros(3), "version": 1}, odd[1])
    for file, sentence in (
        (tmp_path / "absent.pt", "There is no file or folder"),
        (tmp_path, "is a directory"),
        (truncated, "is truncated or no checkpoint at all"),
        (damaged, "is damaged: its content does not fit its check sums"),
        (several, "is truncated or no checkpoint at all"),
        (bomb, "is damaged"),
        (vast, "is truncated or no checkpoint at all"),
        (code, "could run code"),
        (pickled, "is truncated or no checkpoint at all"),
        (foreign, "was not written by samcli"),
        (tensor, "was not written by samcli"),
        (later, "has format version 99"),
        (odd[0], "has format version tensor"),
        (odd[1], "was not written by samcli"),
    ):
        with pytest.raises(CheckpointError, match=sentence):
            checkpoint.load(file)
    assert not (tmp_path / "executed").exists()
