"""The tensors of a network in a file of whoever trained it, read without running anything."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from samcli.errors import CheckpointError

WRAPPINGS = ("state_dict", "model_state_dict", "model", "module")  # keys under which programs keep the tensors


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
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        found: dict[str, Tensor] = load_file(path, device="cpu")
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path} is no .safetensors file, or a damaged one; get it again.") from error
    return found
