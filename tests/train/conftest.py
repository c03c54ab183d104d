"""Small runs on data that ship with a dependency."""

from pathlib import Path

import pytest
import torch
from small_run import SMALL, MakeConfig, Places

from samcli.config import Draft, RunConfig, parse
from samcli.train import CATALOGUE


@pytest.fixture
def config_of() -> MakeConfig:
    def make(*assignments: str, text: str = SMALL) -> RunConfig:
        draft = Draft.of(parse(text, "small.yaml"), CATALOGUE)
        for assignment in assignments:
            draft.set(assignment)
        (config,) = draft.expand()
        return config

    return make


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return {"data_dir": tmp_path / "data", "device": torch.device("cpu")}
