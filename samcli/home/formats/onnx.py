"""ONNX, by torch's exporter of graphs: for runtimes that know no torch."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from samcli.errors import ConfigError
from samcli.home.formats._format import Format, Predict, silence
from samcli.home.network import Network
from samcli.home.program import Program

INPUT, OUTPUT = "raw", "prediction"
_MOST_BYTES = 2**31 - 2**20  # of one message of protocol buffers


def _encode(program: Program, raw: Tensor, about: Mapping[str, str]) -> bytes:
    if sum(tensor.nbytes for tensor in program.state_dict().values()) > _MOST_BYTES:
        raise ConfigError(
            "The network has more than 2 GiB of weights, which no one file of ONNX holds; --to torch does."
        )
    with silence():
        exported = torch.onnx.export(
            program,
            (raw,),
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            input_names=[INPUT],
            output_names=[OUTPUT],
            verbose=False,
        )
    assert exported is not None
    model = exported.model_proto
    _forget_places(model.graph)
    for function in model.functions:
        _forget_places(function)
    for key, value in about.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = f"samcli.{key}", value
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _forget_places(graph: Any) -> None:
    """Leave out from which line of which file of this machine each node came."""
    del graph.metadata_props[:]
    for entry in (*graph.node, *graph.value_info, *getattr(graph, "initializer", ())):
        del entry.metadata_props[:]
        entry.doc_string = ""
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _forget_places(attribute.g)


def _opened(file: Path, network: Network) -> Predict:
    """By onnxruntime where it is installed, else by the slow evaluator that ONNX itself has."""
    del network
    if find_spec("onnxruntime"):
        import onnxruntime

        session = onnxruntime.InferenceSession(file.read_bytes(), providers=["CPUExecutionProvider"])
    else:
        import onnx
        from onnx.reference import ReferenceEvaluator

        session = ReferenceEvaluator(onnx.load_model_from_string(file.read_bytes()))
    return lambda raw: torch.from_numpy(session.run([OUTPUT], {INPUT: raw.numpy()})[0])


ONNX = Format(
    ".onnx",
    ("onnx", "onnxscript"),
    "onnx",
    _encode,
    _opened,
    lambda file: f"onnxruntime.InferenceSession({file!r}).run(None, {{{INPUT!r}: raw}}) in Python",
)
