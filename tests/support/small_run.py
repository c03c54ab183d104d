"""A small run that uses much of what a run can, on data that ship with a dependency."""

from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

import torch

from samcli.config import RunConfig

# From assignments as for --set, and `text=` for another experiment than SMALL, its only run.
MakeConfig = Callable[..., RunConfig]


# The columns of metrics.csv that are other ones each time.
TIMES = ["train_seconds", "cpu_seconds", "eval_seconds", "sharpness_seconds", "examples_per_second"]


class Places(TypedDict):
    """Where a run reads and computes."""

    data_dir: Path
    device: torch.device


SMALL = """
name: small
dataset: {name: digits, train_examples: 200, label_noise: 0.2, validation: 0.1, augment: [crop]}
model: {name: cnn, dropout: 0.3}
epochs: 4
batch_size: 32
schedule: {name: cosine, warmup_epochs: 1}
mixup: 0.2
label_smoothing: 0.1
clip_norm: 1.0
sharpness: {examples: 50}
optimizer: {name: sam, lr: 0.05, rho: 0.1}
"""
