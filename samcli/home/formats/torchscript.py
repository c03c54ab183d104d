"""TorchScript: for C++ and phones, as long as torch still reads it; it has given it up in favour of `torch.export`."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from samcli.home.formats._format import EXTRA_FILE, Format, Predict, as_json, silence
from samcli.home.network import Network
from samcli.home.program import Program


def _encode(program: Program, raw: Tensor, about: Mapping[str, str]) -> bytes:
    with silence():  # torch.jit warns of itself
        traced = torch.jit.trace(program, (raw,))  # type: ignore[no-untyped-call]
        buffer = io.BytesIO()
        torch.jit.save(traced, buffer, _extra_files={EXTRA_FILE: as_json(about)})
    return _without_places(buffer.getvalue())


def _without_places(content: bytes) -> bytes:
    """The archive without the files that say from which line of which file of this machine each operation came."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(made, "w") as smaller:
        for entry in archive.infolist():
            if not entry.filename.endswith(".debug_pkl"):
                smaller.writestr(zipfile.ZipInfo(entry.filename), archive.read(entry))
    return made.getvalue()


def _opened(file: Path, network: Network) -> Predict:
    del network
    with silence():
        predict: Predict = torch.jit.load(io.BytesIO(file.read_bytes()))  # type: ignore[no-untyped-call]
    return predict


TORCHSCRIPT = Format(".pt", (), "", _encode, _opened, lambda file: f"torch.jit.load({file!r})(raw) in Python or C++")
