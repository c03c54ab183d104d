"""The robustness of a checkpoint, kept beside it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from images import PIXELS, network

from samcli import robustness
from samcli.config import Draft, parse
from samcli.errors import NotApplicable
from samcli.runs.folder import RunFolder
from samcli.tasks import Classification
from samcli.train import CATALOGUE, train_run
from samcli.train.challenged import Challenged, challenge_checkpoint
from samcli.train.trained import load_trained

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    text = (
        "{dataset: {name: digits, train_examples: 200}, model: cnn, optimizer: sgd, epochs: 2, sharpness: {every: 0}}"
    )
    (config,) = Draft.of(parse(text, "small.yaml"), CATALOGUE).expand()
    run = RunFolder(tmp_path_factory.mktemp("run") / "sgd")
    train_run(config, run, data_dir=Path("data"), device=CPU)
    return run.checkpoint


def challenged(checkpoint: Path, tests: list[str], **options: Any) -> Challenged:
    how: dict[str, Any] = {"examples": 60, "parameters": {}, "device": CPU} | options
    return challenge_checkpoint(checkpoint, tests, **how)


def test_values_are_those_of_the_library(checkpoint: Path) -> None:
    found = challenged(checkpoint, ["clean", "pgd", "weight-noise"], seed=3, parameters={"eps": 0.1, "scale": 0.2})
    trained = load_trained(checkpoint, data_dir=None, device=CPU)
    data = trained.data
    expected = robustness.measure(
        trained.model,
        data.task,
        list(data.test.subset(60, seed=3).batches(11)),
        ["clean", "pgd", "weight-noise"],
        pixels=robustness.Pixels.of(data.mean, data.std),
        seed=3,
        eps=0.1,
        scale=0.2,
    )
    assert {label: one.value for label, one in found.values.items()} == {
        label: one.value for label, one in expected.items()
    }
    assert (found.run, found.epoch) == ("sgd", 2)


def test_what_is_kept_is_not_tested_again(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = challenged(checkpoint, ["clean", "fgsm", "calibration"])
    begun: list[str] = []
    monkeypatch.setattr("samcli.train.challenged.load_trained", None)  # reading it would fail
    again = challenged(checkpoint, ["clean", "fgsm", "calibration"], on_begin=begun.append)
    assert begun == []
    assert again.values == first.values
    document = json.loads(checkpoint.with_name("robustness.json").read_text())
    assert {"samcli", "checkpoint", "epoch", "tested"} <= set(document)


@pytest.mark.parametrize("spoilt", ['{"tested": 3}', "[]", "{", "nonsense \x00"])
def test_a_spoilt_file_is_made_anew(checkpoint: Path, spoilt: str) -> None:
    first = challenged(checkpoint, ["clean"])
    checkpoint.with_name("robustness.json").write_text(spoilt)
    assert challenged(checkpoint, ["clean"]).values == first.values


def test_other_files_are_tested_again(checkpoint: Path, tmp_path: Path) -> None:
    """Of published corruptions sizes and times are part of what was tested."""
    begun: list[str] = []
    with pytest.raises(NotApplicable, match="CIFAR-10-C has ten classes and images of 3×32×32"):
        challenged(checkpoint, ["cifar10-c"], parameters={"dir": str(tmp_path)}, on_begin=begun.append)
    np.save(tmp_path / "labels.npy", np.zeros(5))
    passed = challenged(checkpoint, ["cifar10-c"], parameters={"dir": str(tmp_path)}, pass_over=True)
    assert passed.values == {}
    assert passed.passed_over["cifar10-c"].startswith("CIFAR-10-C has ten classes")


def test_the_library_knows_no_checkpoint() -> None:
    data = [(torch.zeros(4, 3, 8, 8), torch.zeros(4, dtype=torch.int64))]
    found = robustness.measure(network(), Classification(4), data, "clean", pixels=PIXELS)
    assert found["clean"].n == 4
