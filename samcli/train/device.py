"""Choosing where to train."""

from __future__ import annotations

import torch

from samcli.errors import ConfigError


def choose_device(name: str) -> torch.device:
    """The device a user asked for: `auto` takes an NVIDIA or AMD GPU where there is one.

    Raises:
        ConfigError: an unknown name, or no such device here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in ("cpu", "cuda"):
        raise ConfigError(f"There is no device named {name!r}; use auto, cpu or cuda.")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigError(f"There is no GPU for --device {name} on this machine; use --device cpu or auto.")
    return device
