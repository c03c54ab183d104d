"""Small runs on data that ship with a dependency."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from samcli.config import Draft, RunConfig, parse
from samcli.train import CATALOGUE

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


@pytest.fixture
def config_of() -> Callable[..., RunConfig]:
    def make(*assignments: str, text: str = SMALL) -> RunConfig:
        draft = Draft.of(parse(text, "small.yaml"), CATALOGUE)
        for assignment in assignments:
            draft.set(assignment)
        (config,) = draft.expand()
        return config

    return make


@pytest.fixture
def places(tmp_path: Path) -> dict[str, Any]:
    import torch

    return {"data_dir": tmp_path / "data", "device": torch.device("cpu")}
