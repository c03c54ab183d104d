"""Tensors of files that others wrote."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from samcli.errors import CheckpointError
from samcli.weights.stored import stored_tensors

TYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip


def safetensors(path: Path, tensors: Mapping[str, Tensor], **changed: Any) -> Path:
    """A file as the format describes it, written here by hand: length, header, numbers."""
    names = {dtype: name for name, dtype in TYPES.items()}
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    data = b""
    for name, tensor in tensors.items():
        raw = bytes(tensor.contiguous().flatten().view(torch.uint8).tolist()) if tensor.numel() else b""
        offsets = [len(data), len(data) + len(raw)]
        header[name] = {"dtype": names[tensor.dtype], "shape": list(tensor.shape), "data_offsets": offsets} | changed
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def test_every_type_of_a_safetensors_file_comes_back(tmp_path: Path) -> None:
    tensors = {str(dtype): torch.arange(6).reshape(2, 3).to(dtype) for dtype in TYPES.values()}
    tensors |= {"empty": torch.zeros(0, 3), "number": torch.tensor(2.5)}
    found = stored_tensors(safetensors(tmp_path / "a.safetensors", tensors))
    assert set(found) == set(tensors)
    assert all(torch.equal(found[name], tensor) for name, tensor in tensors.items())
    assert all(found[name].dtype == tensor.dtype for name, tensor in tensors.items())


@pytest.mark.parametrize(
    "changed",
    [
        {"shape": [3]},
        {"shape": [-2, -1]},
        {"data_offsets": [0, 80]},
        {"data_offsets": [-8, 0]},
        {"dtype": "F8"},
        {"shape": None},
    ],
)
def test_a_header_that_lies_is_a_sentence(tmp_path: Path, changed: dict[str, Any]) -> None:
    file = safetensors(tmp_path / "a.safetensors", {"w": torch.ones(2)}, **changed)
    with pytest.raises(CheckpointError, match=r"is no \.safetensors file, or a damaged one"):
        stored_tensors(file)


@pytest.mark.parametrize("data", [b"", b"\x00" * 20, b"\xff" * 20, b"\x02" + b"\x00" * 7 + b"[]", b"x" * 7])
def test_what_is_no_safetensors_file_is_a_sentence(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "a.safetensors"
    file.write_bytes(data)
    with pytest.raises(CheckpointError, match="or a damaged one"):
        stored_tensors(file)


@pytest.mark.parametrize("wrapping", ["state_dict", "model_state_dict", "model", "module"])
def test_wrappings_are_seen_through(tmp_path: Path, wrapping: str) -> None:
    file = tmp_path / "a.pth"
    torch.save({"epoch": 3, wrapping: {"w": torch.ones(2)}}, file)
    assert list(stored_tensors(file)) == ["w"]


class Code:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("ran"),))


def test_a_pickle_that_could_run_code_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for zipped in (True, False):
        torch.save({"w": Code()}, "a.pth", _use_new_zipfile_serialization=zipped)
        with pytest.raises(CheckpointError, match="which samcli does not load since it could run code"):
            stored_tensors(Path("a.pth"))
    assert not Path("ran").exists()


def test_what_holds_no_tensors_is_a_sentence(tmp_path: Path) -> None:
    torch.save({"epoch": 3}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match="holds no tensors by name"):
        stored_tensors(tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match="is missing; name a checkpoint"):
        stored_tensors(tmp_path / "b.pth")
    with pytest.raises(CheckpointError, match="is no file; name"):
        stored_tensors(tmp_path)
