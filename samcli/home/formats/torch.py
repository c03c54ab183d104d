"""A program of `torch.export`: the graph and the weights, for any later torch and for torch's own compilers."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from samcli.home.formats._format import EXTRA_FILE, Format, Predict, as_json, silence
from samcli.home.network import Network
from samcli.home.program import Program


def _encode(program: Program, raw: Tensor, about: Mapping[str, str]) -> bytes:
    with silence():
        exported = torch.export.export(program, (raw,), dynamic_shapes=({0: torch.export.Dim("batch")},))
        for node in exported.graph.nodes:
            node.meta.pop("stack_trace", None)  # paths of this machine
        buffer = io.BytesIO()
        torch.export.save(exported, buffer, extra_files={EXTRA_FILE: as_json(about)})
    return buffer.getvalue()


def _opened(file: Path, network: Network) -> Predict:
    del network
    with silence():
        predict: Predict = torch.export.load(io.BytesIO(file.read_bytes())).module()
    return predict


TORCH = Format(".pt2", (), "", _encode, _opened, lambda file: f"torch.export.load({file!r}).module()(raw) in Python")
