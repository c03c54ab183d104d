"""A checkpoint is measured once: what is kept, when it is read again, and when it is not."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from small_run import MakeConfig

from samcli.errors import ConfigError, NotApplicable
from samcli.runs.folder import RunFolder
from samcli.sharpness import MEASURES, Result
from samcli.train import measured, train_run
from samcli.train.measured import DEFAULT_MEASURES, measure_checkpoint
from samcli.train.trained import Trained

CPU = torch.device("cpu")


@pytest.fixture
def checkpoint(config_of: MakeConfig, tmp_path: Path) -> Path:
    folder = RunFolder(tmp_path / "run")
    train_run(config_of("epochs=1"), folder, data_dir=tmp_path, device=CPU)
    return folder.checkpoint


def values(path: Path, measures: list[str], seed: int = 0, **parameters: Any) -> dict[str, Result]:
    return measure_checkpoint(path, measures, examples=40, seed=seed, parameters=parameters, device=CPU).values


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every checkpoint that was loaded to measure it."""
    found: list[Path] = []
    load = measured.load_trained

    def counting(path: Path, **places: Any) -> Trained:
        found.append(path)
        return load(path, **places)

    monkeypatch.setattr(measured, "load_trained", counting)
    return found


def test_a_second_call_reads_what_the_first_measured(checkpoint: Path, loads: list[Path]) -> None:
    first = values(checkpoint, ["one-step", "lambda-max"], rho=0.1)
    assert values(checkpoint, ["lambda-max", "one-step"], rho=0.1) == first
    assert len(loads) == 1
    again = values(checkpoint, ["one-step", "grad-norm"], rho=0.1)  # one of them is new
    assert again["one-step"] == first["one-step"]
    assert len(loads) == 2


def test_another_question_is_measured(checkpoint: Path, loads: list[Path]) -> None:
    first = values(checkpoint, ["one-step"], rho=0.1)
    for question in ({"rho": 0.2}, {"rho": 0.1, "seed": 1}):
        assert values(checkpoint, ["one-step"], **question) != first
    assert len(loads) == 3
    assert values(checkpoint, ["one-step"], rho=0.1) == first
    assert len(loads) == 3


def test_another_checkpoint_is_measured_anew(checkpoint: Path, loads: list[Path]) -> None:
    values(checkpoint, ["one-step"])
    content = torch.load(checkpoint, weights_only=True)
    content["rows"] = [content["rows"][0] | {"epoch": epoch} for epoch in range(1, 8)]
    content["epoch"] = 7
    torch.save(content, checkpoint)
    assert measure_checkpoint(checkpoint, ["one-step"], examples=40, parameters={}, device=CPU).epoch == 7
    assert len(loads) == 2


def test_a_damaged_file_is_written_anew(checkpoint: Path, loads: list[Path]) -> None:
    first = values(checkpoint, ["one-step"])
    checkpoint.with_name("sharpness.json").write_text("{")
    assert values(checkpoint, ["one-step"]) == first
    assert json.loads(checkpoint.with_name("sharpness.json").read_text())["measured"]


def test_several_radii_are_several_values(checkpoint: Path) -> None:
    found = values(checkpoint, ["one-step", "grad-norm"], rho=[0.2, 0.1])
    assert list(found) == ["one-step rho=0.1", "one-step rho=0.2", "grad-norm"]
    assert found["one-step rho=0.2"] == values(checkpoint, ["one-step"], rho=0.2)["one-step"]
    assert values(checkpoint, ["one-step"], rho=[0.2])["one-step"] == found["one-step rho=0.2"]


def test_radii_that_came_before_are_part_of_the_question(checkpoint: Path, loads: list[Path]) -> None:
    both = values(checkpoint, ["worst-case"], rho=[0.1, 0.5], steps=2)
    alone = values(checkpoint, ["worst-case"], rho=0.5, steps=2)["worst-case"]
    assert len(loads) == 2
    assert both["worst-case rho=0.5"].details["after"] == [0.1]
    assert alone.details["after"] == []
    assert values(checkpoint, ["worst-case"], rho=0.1, steps=2)["worst-case"] == both["worst-case rho=0.1"]
    assert len(loads) == 2


def test_what_is_not_a_number_comes_back_as_such(checkpoint: Path) -> None:
    for _ in range(2):
        result = values(checkpoint, ["one-step"], rho=1e38)["one-step"]
        assert math.isnan(result.value)
        assert not result.converged


def test_what_was_measured_before_an_error_is_kept(checkpoint: Path, loads: list[Path]) -> None:
    """The run is one of SAM around SGD, so Adam's measure does not apply to it."""
    with pytest.raises(NotApplicable, match="the state of Adam"):
        values(checkpoint, ["grad-norm", "lambda-max-adam"])
    values(checkpoint, ["grad-norm"])
    assert len(loads) == 1


def test_what_does_not_apply_is_passed_over(checkpoint: Path) -> None:
    begun: list[str] = []
    names = ["lambda-max-adam", "grad-norm"]
    how = {"examples": 40, "parameters": {}, "device": CPU}
    found = measure_checkpoint(checkpoint, names, pass_over=True, on_begin=begun.append, **how)
    assert list(found.values) == ["grad-norm"]
    assert "the state of Adam" in found.passed_over["lambda-max-adam"]
    assert begun == names


def test_edge_of_stability_of_the_checkpoint(config_of: MakeConfig, checkpoint: Path, tmp_path: Path) -> None:
    """At the learning rate of the last step: 2 (1 + 0.9)/η for SGD with momentum, 38/η for Adam."""
    adam = RunFolder(tmp_path / "adam")
    train_run(config_of("epochs=1", "optimizer.base=adam", "optimizer.lr=0.01"), adam, data_dir=tmp_path, device=CPU)
    for path, name, factor in ((checkpoint, "lambda-max", 3.8), (adam.checkpoint, "lambda-max-adam", 38.0)):
        rate = RunFolder(path.parent).read_metrics()[-1]["learning_rate"]
        found = values(path, [name])[name]
        assert found.details["edge_of_stability"] == pytest.approx(factor / float(rate or 0.0), rel=1e-6)
        assert found.details["edge_ratio"] == pytest.approx(found.value / found.details["edge_of_stability"], rel=1e-9)
        assert (found.details["split"], found.details["loss_function"]) == ("train", "cross-entropy in nats")
    assert "edge_of_stability" not in values(adam.checkpoint, ["lambda-max"])["lambda-max"].details


def test_batch_norm_mode_is_part_of_the_question(checkpoint: Path, loads: list[Path]) -> None:
    """The size of the batches is part of it too, except in evaluation mode, where nothing depends on it."""
    for mode, size, measurements in (
        ("evaluation", 40, 1),
        ("evaluation", 20, 1),
        ("recalibrated", 40, 2),
        ("batch", 40, 3),
        ("batch", 20, 4),
        ("batch", 40, 4),
    ):
        how: dict[str, Any] = {"examples": 40, "parameters": {}, "device": CPU, "batch_norm": mode, "batch_size": size}
        details = measure_checkpoint(checkpoint, ["grad-norm"], **how).values["grad-norm"].details
        assert len(loads) == measurements
        assert (details["batch_norm"], details.get("batch_size", size)) == (mode, size)


def test_unknown_names(checkpoint: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean"):
        values(checkpoint, ["one-stp"])
    with pytest.raises(ConfigError, match="parameter 'radius'"):
        values(checkpoint, ["one-step"], radius=1.0)


def test_the_default_measures_are_there() -> None:
    assert set(DEFAULT_MEASURES) <= set(MEASURES)
