"""The forms in which a network can be taken away, one file each."""

from samcli.home.formats._format import Format as Format
from samcli.home.formats.onnx import ONNX
from samcli.home.formats.safetensors import SAFETENSORS
from samcli.home.formats.torch import TORCH
from samcli.home.formats.torchscript import TORCHSCRIPT

FORMATS: dict[str, Format] = {
    "torch": TORCH,
    "torchscript": TORCHSCRIPT,
    "onnx": ONNX,
    "safetensors": SAFETENSORS,
}
