"""Small trained runs."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from samcli.config import Draft, parse
from samcli.runs.folder import RunFolder
from samcli.train import CATALOGUE, train_run

Trained = Callable[..., RunFolder]


@pytest.fixture
def trained(tmp_path: Path) -> Trained:
    """Trains a run of a data set and a model for an epoch, and gives its folder."""

    def train(dataset: str = "digits", model: str = "mlp", *assignments: str, name: str = "run") -> RunFolder:
        text = f"{{dataset: '{dataset}', model: '{model}', optimizer: sgd, epochs: 1}}"
        draft = Draft.of(parse(text, "small.yaml"), CATALOGUE)
        for assignment in assignments:
            draft.set(assignment)
        (config,) = draft.expand()
        folder = RunFolder(tmp_path / name)
        train_run(config, folder, data_dir=tmp_path / "data", device=torch.device("cpu"))
        return folder

    return train
