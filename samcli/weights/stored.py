"""The tensors of a network in a file of whoever trained it, read without running anything."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from samcli.errors import CheckpointError

WRAPPINGS = ("state_dict", "model_state_dict", "model", "module")  # keys under which programs keep the tensors
LONGEST_HEADER = 100 * 2**20  # bytes, as the format allows
TYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip


def stored_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors in a file by their names, on the CPU, as whoever trained the network named them.

    Args:
        path: `.safetensors`, or else a file of `torch.save`: a state dictionary, by itself or under one of `WRAPPINGS`.

    Raises:
        CheckpointError: it is missing, unreadable, holds code, or no tensors by name.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "network.pth")
    ...     torch.save({"epoch": 3, "state_dict": torch.nn.Linear(2, 1).state_dict()}, file)
    ...     list(stored_tensors(file))
    ['weight', 'bias']
    """
    if not path.is_file():
        found = "is no file" if path.exists() else "is missing"
        raise CheckpointError(f"{path} {found}; name a checkpoint, a .safetensors file or a file of torch.save.")
    try:
        content = _safetensors(path) if path.suffix == ".safetensors" else _pickled(path)
    except OSError as error:
        raise CheckpointError(f"Cannot read {path} ({error.strerror}); check permissions, then try again.") from error
    tensors = tensors_in(content)
    if not tensors:
        raise CheckpointError(
            f"{path} holds no tensors by name; save the state dictionary: torch.save(model.state_dict(), FILE)."
        )
    return tensors


def tensors_in(content: object) -> dict[str, Tensor]:
    """The tensors of a state dictionary, or of the one that lies under one of `WRAPPINGS`; empty if there is none.

    >>> list(tensors_in({"model": {"state_dict": {"w": torch.ones(1)}}, "epoch": 3}))
    ['w']
    """
    while isinstance(content, Mapping):
        inner = next((content[key] for key in WRAPPINGS if isinstance(content.get(key), Mapping)), None)
        if inner is None:
            return {name: t for name, t in content.items() if isinstance(name, str) and isinstance(t, Tensor)}
        content = inner
    return {}


def _pickled(path: Path) -> object:
    try:
        content: object = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path} holds more than tensors and plain values, which samcli does not load since it could run code; "
            "save the state dictionary alone: torch.save(model.state_dict(), FILE)."
        ) from error
    except (MemoryError, OSError):
        raise
    except Exception as error:  # whatever an unpickler stumbles over
        raise CheckpointError(f"{path} is no file of torch.save, or a damaged one; get it again.") from error
    return content


def _safetensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors file: the length of a JSON header, the header, the numbers."""
    damaged = CheckpointError(f"{path} is no .safetensors file, or a damaged one; get it again.")
    data = bytearray(path.read_bytes())
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or not 2 <= length <= min(LONGEST_HEADER, len(data) - 8):
        raise damaged
    try:
        header = json.loads(data[8 : 8 + length])
        header.pop("__metadata__", None)
        return {str(name): _tensor(entry, data, 8 + length) for name, entry in header.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise damaged from error


def _tensor(entry: Mapping[str, Any], data: bytearray, start: int) -> Tensor:
    """One tensor: of the type and shape that the header says, from as many bytes as these take."""
    dtype, shape, (begin, end) = (
        TYPES[entry["dtype"]],
        [int(length) for length in entry["shape"]],
        entry["data_offsets"],
    )
    size = math.prod(shape)
    if min([0, *shape]) < 0 or not 0 <= begin <= end <= len(data) - start or end - begin != size * dtype.itemsize:
        raise ValueError("the numbers do not lie where they should")
    if not size:
        return torch.empty(shape, dtype=dtype)
    # a copy, for numbers need not lie at a multiple of their size
    return torch.frombuffer(data[start + begin : start + end], dtype=dtype).reshape(shape)
