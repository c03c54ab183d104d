"""The weights by their names in a file that cannot run code, and beside them in words what a program needs to know."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load, save
from torch import Tensor

from samcli.home.formats._format import Format, Predict
from samcli.home.network import Network
from samcli.home.program import Program


def _encode(program: Program, raw: Tensor, about: Mapping[str, str]) -> bytes:
    del raw
    # tensors that share memory are refused by the format
    weights = {name: tensor.detach().clone().contiguous() for name, tensor in program.model.state_dict().items()}
    return _ordered(save(weights, metadata=dict(about)))


def _ordered(content: bytes) -> bytes:
    """The same file with its texts in their order by name, which the library writes in any."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    written = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    written += b" " * (-len(written) % 8)  # tensors begin at a multiple of 8
    return len(written).to_bytes(8, "little") + written + content[8 + length :]


def _opened(file: Path, network: Network) -> Predict:
    program = copy.deepcopy(network.program).cpu()
    for tensor in program.model.state_dict().values():
        tensor.zero_()  # so that every number is the file's
    program.model.load_state_dict(load(file.read_bytes()))

    def predict(raw: Tensor) -> Tensor:
        with torch.inference_mode():
            made: Tensor = program(raw)
        return made

    return predict


SAFETENSORS = Format(
    ".safetensors", (), "", _encode, _opened, lambda file: f"safetensors.torch.load_file({file!r}) in Python"
)
