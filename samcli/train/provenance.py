"""The provenance of a run: what it was trained with, and on which hardware."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy
import torch

import samcli
from samcli.config import RunConfig
from samcli.runs.process import this_machine
from samcli.train.digests import plugins_of

# what may be another one when a run is continued
CHANGEABLE = ("versions", "git", "hardware", "device", "threads", "processes", "jobs", "plugins", "dataset")

_USUAL = {"jobs": 1}


def provenance(config: RunConfig, device: torch.device, data_dir: Path) -> dict[str, Any]:
    """The entries of `run.json` beside the status: enough to judge whether two runs may be compared.

    >>> from samcli.config import Draft, parse
    >>> from samcli.train import CATALOGUE
    >>> (config,) = Draft.of(parse("{optimizer: sgd, seeds: 3}", "x.yaml"), CATALOGUE).expand()
    >>> found = provenance(config, torch.device("cpu"), Path("data"))
    >>> found["seed"], found["device"], found["identity"] == config.identity
    (3, 'cpu', True)
    """
    return {
        "name": config.name,
        "identity": config.identity,
        "seed": config.seed,
        "epochs": config.training.epochs,
        "data_dir": str(data_dir),
        "device": str(device),
        "threads": torch.get_num_threads(),
        "hardware": hardware(device),
        "versions": versions(),
        "plugins": plugins_of(config),
        "git": git_state(),
        "host": socket.gethostname(),
        "machine": this_machine(),
        "pid": os.getpid(),
    }


def earlier_provenance(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the epochs of a run were trained with before it was continued with something else.

    Args:
        before: the content of `run.json` before the run is continued.
        now: that of the process that continues it.

    >>> before = {"epochs_done": 3, "versions": {"torch": "2.11"}, "device": "cpu"}
    >>> earlier_provenance(before, {"versions": {"torch": "2.14"}, "device": "cpu"})
    [{'epochs_done': 3, 'versions': {'torch': '2.11'}}]
    """
    earlier = list(before.get("earlier") or [])
    before = {**_USUAL, **before}  # what trains one run after the other does not say so
    changed = {key: before[key] for key in CHANGEABLE if key in before and before[key] != now.get(key, _USUAL.get(key))}
    if changed and before.get("epochs_done"):
        earlier.append({"epochs_done": before["epochs_done"], **changed})
    return earlier


def now() -> str:
    """The time in UTC, to the second.

    >>> len(now()), now()[-6:]
    (25, '+00:00')
    """
    return datetime.now(UTC).isoformat(timespec="seconds")


def versions() -> dict[str, str]:
    """The versions of everything whose change can change a number.

    >>> list(versions())
    ['samcli', 'python', 'torch', 'torchvision', 'numpy']
    """
    return {
        "samcli": samcli.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": metadata.version("torchvision"),  # to import it takes as long as torch
        "numpy": numpy.__version__,
    }


def hardware(device: torch.device) -> dict[str, Any]:
    """Processor, cores and accelerator.

    >>> hardware(torch.device("cpu"))["accelerator"] is None
    True
    """
    accelerator = (
        torch.cuda.get_device_name(device) if device.type == "cuda" else "Apple GPU" if device.type == "mps" else None
    )
    return {"processor": _processor(), "cores": os.cpu_count(), "accelerator": accelerator}


def git_state() -> dict[str, Any]:
    """Commit of the current folder's repository, and whether it has changes; both None outside one.

    >>> list(git_state())
    ['commit', 'dirty']
    """
    try:
        commit = _git("rev-parse", "HEAD")
        return {"commit": commit, "dirty": bool(_git("status", "--porcelain", "--untracked-files=no"))}
    except (OSError, subprocess.SubprocessError):
        return {"commit": None, "dirty": None}


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True, timeout=10)
    return done.stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
