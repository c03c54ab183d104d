"""The device of a run, and the precision that it computes in."""

from __future__ import annotations

import dataclasses
import time
from contextlib import AbstractContextManager, nullcontext

import torch

from samcli.config import RunConfig
from samcli.errors import ConfigError


def choose_device(name: str) -> torch.device:
    """The device a user asked for: `auto` takes an NVIDIA or AMD GPU where there is one.

    An Apple GPU is taken only when it is named, `mps`: it computes in single precision alone, and no run of this
    version was tried on one.

    >>> choose_device("cpu")
    device(type='cpu')

    Raises:
        ConfigError: an unknown name, or no such device here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in ("cpu", "cuda", "mps"):
        raise ConfigError(f"There is no device named {name!r}; use auto, cpu, cuda or mps.")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigError(f"There is no GPU for --device {name} on this machine; use --device cpu or auto.")
    if device.type == "mps" and ((device.index or 0) > 0 or not torch.backends.mps.is_available()):
        raise ConfigError(f"There is no Apple GPU for --device {name} on this machine; use --device cpu or auto.")
    return device


def resolve_precision(config: RunConfig, device: torch.device) -> RunConfig:
    """The run with `precision: auto` replaced by what it means on a device: bf16 where that is fast, else fp32.

    That of its stages is replaced likewise.

    >>> from samcli.config import Draft, parse
    >>> from samcli.train import CATALOGUE
    >>> (config,) = Draft.of(parse("{optimizer: sgd, precision: auto}", "x.yaml"), CATALOGUE).expand()
    >>> resolve_precision(config, torch.device("cpu")).training.precision in ("bf16", "fp32")
    True
    """
    if "auto" not in (config.training.precision, *(stage["precision"] for stage in config.stages)):
        return config
    here = "bf16" if computes_bf16(device) else "fp32"
    training = config.training
    if training.precision == "auto":
        training = dataclasses.replace(training, precision=here)
    stages = tuple({**one, "precision": here} if one["precision"] == "auto" else one for one in config.stages)
    return dataclasses.replace(config, training=training, stages=stages)


def computes_bf16(device: torch.device) -> bool:
    """Whether the hardware has instructions for bfloat16; elsewhere torch emulates them, far slower than fp32.

    >>> computes_bf16(torch.device("cpu")) in (True, False)  # Xeons since 2020 do
    True
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "mps":
        return False
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "arm_bf16", "bf16"))


def autocast(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """The context of a forward pass in a precision: torch's autocast for bf16 and fp16, nothing for fp32.

    >>> with autocast("bf16", torch.device("cpu")):
    ...     (torch.ones(2, 2) @ torch.ones(2, 2)).dtype
    torch.bfloat16
    """
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(device.type, {"bf16": torch.bfloat16, "fp16": torch.float16}[precision])


def clock(device: torch.device) -> float:
    """Seconds, after the device has done all that it was asked to.

    >>> clock(torch.device("cpu")) <= clock(torch.device("cpu"))
    True
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
    return time.perf_counter()
