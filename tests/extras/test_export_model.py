"""Networks written as ONNX, run by onnxruntime, and what they hold besides."""

import builtins
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import samcli
from samcli.config import Draft, parse
from samcli.data import DATASETS
from samcli.home.exported import export_model, made_up
from samcli.home.formats import onnx as form
from samcli.runs.folder import RunFolder
from samcli.train import CATALOGUE, train_run

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
onnxruntime = pytest.importorskip("onnxruntime")


def run_of(dataset: str, model: str, tmp_path: Path) -> RunFolder:
    text = f"{{dataset: {dataset}, model: {model}, optimizer: sgd, epochs: 2}}"
    (config,) = Draft.of(parse(text, "small.yaml"), CATALOGUE).expand()
    folder = RunFolder(tmp_path / "run")
    train_run(config, folder, data_dir=tmp_path / "data", device=torch.device("cpu"))
    return folder


@pytest.mark.parametrize(
    ("dataset", "model"),
    [("digits", "cnn"), ("digits", "resnet20"), ("digits", "vit"), ("wine", "mlp"), ("breast-cancer", "linear")],
)
def test_onnxruntime_gives_the_probabilities_of_the_network(dataset: str, model: str, tmp_path: Path) -> None:
    run = run_of(dataset, model, tmp_path)
    network = samcli.load(run.path)
    file = export_model(network, "onnx", tmp_path / "a.onnx").output
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    source = DATASETS.create(dataset).source(tmp_path)
    for raw in (source.test_inputs, source.inputs[:1], source.inputs[:7], made_up(network.known, 7)):
        (found,) = session.run(None, {"raw": raw.numpy()})
        np.testing.assert_allclose(found, network.predict(raw).numpy(), atol=1e-5, rtol=0)
    (found,) = session.run(None, {"raw": source.test_inputs.numpy()})
    accuracy = float((found.argmax(1) == source.test_targets.numpy()).mean())
    assert accuracy == run.read_metrics()[-1]["test_accuracy"]


def test_values_of_a_regression_are_in_its_unit(tmp_path: Path) -> None:
    network = samcli.load(run_of("diabetes", "mlp", tmp_path).path)
    file = export_model(network, "onnx", tmp_path / "a.onnx").output
    rows = made_up(network.known, 7)
    (found,) = onnxruntime.InferenceSession(file).run(None, {"raw": rows.numpy()})
    np.testing.assert_allclose(found, network.predict(rows).numpy(), rtol=1e-5)
    assert 50 < found.mean() < 250


def test_the_file_says_what_it_is_of_and_not_where_it_was_made(tmp_path: Path) -> None:
    network = samcli.load(run_of("digits", "cnn", tmp_path).path)
    content = export_model(network, "onnx", tmp_path / "a.onnx").output.read_bytes()
    model = onnx.load_model_from_string(content)
    onnx.checker.check_model(model, full_check=True)
    facts = {entry.key: json.loads(entry.value) for entry in model.metadata_props}
    assert facts["samcli.classes"] == [str(digit) for digit in range(10)]
    assert facts["samcli.identity"] == network.config.identity
    assert [dimension.dim_param or dimension.dim_value for dimension in
            model.graph.input[0].type.tensor_type.shape.dim][1:] == [8, 8, 1]  # fmt: skip
    for place in (tmp_path, Path(samcli.__file__).parent, Path(torch.__file__).parent):
        assert str(place).encode() not in content
    again = export_model(network, "onnx", tmp_path / "b.onnx").output.read_bytes()
    assert again == content


def test_without_onnxruntime_the_evaluator_of_onnx_tries_it_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = samcli.load(run_of("digits", "cnn", tmp_path).path)
    monkeypatch.setattr(form, "find_spec", lambda name: None)
    imported = builtins.__import__

    def without(name: str, *arguments: Any, **options: Any) -> Any:
        assert name != "onnxruntime"
        return imported(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    assert export_model(network, "onnx", tmp_path / "a.onnx").difference < 1e-5
