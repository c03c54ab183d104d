"""Checkpoints: tensors and plain values only, written atomically, read without running anything."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from samcli.errors import CheckpointError
from samcli.runs.files import write_atomic

FORMAT = "samcli checkpoint"
VERSION = 1


def save(path: Path, content: Mapping[str, Any]) -> None:
    """Write a checkpoint; whatever happens meanwhile, the file is the old one or the new one.

    Args:
        path: the file.
        content: tensors and plain values, also in lists and dictionaries.

    Raises:
        ResultsError: it cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(Path(folder, "checkpoint.pt"), {"epoch": 3, "weights": torch.ones(2)})
    ...     load(Path(folder, "checkpoint.pt"))["weights"]
    tensor([1., 1.])
    """
    write_atomic(path, encode(content))


def encode(content: Mapping[str, Any]) -> bytes:
    """The bytes of a checkpoint's file.

    >>> encode({"epoch": 3})[:2]  # a zip archive
    b'PK'
    """
    # through memory: torch hides a full disk behind an error of its own
    buffer = io.BytesIO()
    torch.save({"format": FORMAT, "version": VERSION, **content}, buffer)
    return buffer.getvalue()


def load(path: Path) -> dict[str, Any]:
    """The content of a checkpoint, its tensors on the CPU.

    Raises:
        CheckpointError: missing, truncated, of another program or a later version, or holding code.

    >>> load(Path("absent.pt"))
    Traceback (most recent call last):
    samcli.errors.CheckpointError: There is no checkpoint absent.pt; a run writes one after its first epoch.
    """
    if path.is_dir():
        raise CheckpointError(f"{path} is a directory; name a checkpoint.pt or a run folder that holds one.")
    if not path.exists():
        raise CheckpointError(f"There is no checkpoint {path}; a run writes one after its first epoch.")
    if not zipfile.is_zipfile(path):
        raise CheckpointError(f"{path} is truncated or no checkpoint at all; train the run again to write it anew.")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path} holds more than tensors and plain values, which samcli does not load since it could run code; "
            "use a checkpoint that samcli wrote."
        ) from error
    except (RuntimeError, EOFError, KeyError, OSError) as error:
        raise CheckpointError(
            f"{path} cannot be read as a checkpoint; train the run again to write it anew."
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CheckpointError(f"{path} was not written by samcli; name the checkpoint.pt of a run of samcli train.")
    if content["version"] != VERSION:
        raise CheckpointError(
            f"{path} has format version {content['version']}, this samcli reads version {VERSION}; "
            "use the samcli that wrote it."
        )
    return content
