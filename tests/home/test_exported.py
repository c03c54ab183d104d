"""Networks written for other programs that torch itself brings, and what refuses to be written."""

import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from torch import Tensor, nn

import samcli
from samcli.data import DATASETS
from samcli.errors import ConfigError
from samcli.home import exported
from samcli.home.exported import about, export_model, made_up
from samcli.home.formats import FORMATS
from samcli.home.network import Network
from samcli.home.program import Program

MODELS = [("digits", "cnn"), ("digits", "resnet20"), ("digits", "vit"), ("wine", "mlp"), ("diabetes", "linear"),
          ("breast-cancer", "mlp"), ("wine", "ft-transformer"), ("wine", "resnet-tabular")]  # fmt: skip


def test_torch_program_predicts_from_raw_inputs(trained: Any, tmp_path: Path) -> None:
    for dataset, model in MODELS:
        network = samcli.load(trained(dataset, model, name=model + dataset).path)
        written = export_model(network, "torch", tmp_path / f"{dataset}-{model}.pt2")
        program = torch.export.load(written.output).module()
        for number in (1, 7, 30):
            raw = made_up(network.known, number, seed=3)
            assert torch.allclose(program(raw), network.predict(raw), atol=1e-5, rtol=1e-5)
        assert written.difference < 1e-4


def test_the_accuracy_of_a_program_is_that_of_the_run(trained: Any, tmp_path: Path) -> None:
    run = trained("digits", "cnn")
    file = export_model(samcli.load(run.path), "torch", tmp_path / "cnn.pt2").output
    source = DATASETS.create("digits").source(tmp_path)
    predicted = torch.export.load(file).module()(source.test_inputs).argmax(1)
    assert (predicted == source.test_targets).double().mean().item() == run.read_metrics()[-1]["test_accuracy"]


@pytest.mark.filterwarnings("ignore:`torch.jit.load` is deprecated")
def test_torchscript_predicts_from_raw_inputs(trained: Any, tmp_path: Path) -> None:
    for dataset, model in MODELS[::2]:
        network = samcli.load(trained(dataset, model, name=model + dataset).path)
        file = export_model(network, "torchscript", tmp_path / f"{model}.pt").output
        script = torch.jit.load(file)  # type: ignore[no-untyped-call]
        for number in (1, 7):
            raw = made_up(network.known, number, seed=3)
            assert torch.allclose(script(raw), network.predict(raw), atol=1e-5, rtol=1e-5)
        with zipfile.ZipFile(file) as archive:
            content = b"".join(archive.read(name) for name in archive.namelist())
        assert str(Path(samcli.__file__).parent).encode() not in content


def test_safetensors_hold_weights_and_all_that_is_known(trained: Any, tmp_path: Path) -> None:
    network = samcli.load(trained("digits", "resnet20").path)
    file = export_model(network, "safetensors", tmp_path / "a.safetensors").output
    with safe_open(file, "pt") as held:  # type: ignore[no-untyped-call]
        facts = {key: json.loads(value) for key, value in held.metadata().items()}
        weights = {name: held.get_tensor(name) for name in held.keys()}  # noqa: SIM118
    assert weights.keys() == network.model.state_dict().keys()
    assert all(torch.equal(weights[name], tensor) for name, tensor in network.model.state_dict().items())
    assert facts["classes"] == [str(digit) for digit in range(10)]
    assert facts["model"] == network.config.document()["model"]
    assert facts["identity"] == network.config.identity
    assert facts["task"] == {"name": "classification", "number": 10}
    assert facts["shape"] == [1, 8, 8]
    assert facts["mean"] == pytest.approx(network.known.mean.tolist())
    assert facts["samcli"] == samcli.__version__


@pytest.mark.parametrize("form", ["torch", "safetensors"])
def test_the_same_network_gives_the_same_bytes(trained: Any, tmp_path: Path, form: str) -> None:
    network = samcli.load(trained().path)
    files = [export_model(network, form, tmp_path / name).output.read_bytes() for name in ("a", "b")]
    assert files[0] == files[1]
    assert str(tmp_path).encode() not in files[0]


def test_torchscript_of_two_processes_has_the_same_bytes(trained: Any, tmp_path: Path) -> None:
    run = trained("wine", "linear")
    for name in ("a", "b"):
        code = "import samcli, sys; from pathlib import Path; from samcli.home.exported import export_model\n"
        code += "export_model(samcli.load(sys.argv[1]), 'torchscript', Path(sys.argv[2]))"
        subprocess.run([sys.executable, "-W", "error", "-c", code, run.path, tmp_path / name], check=True)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_program_says_what_it_is_of(trained: Any, tmp_path: Path) -> None:
    network = samcli.load(trained("wine", "mlp").path)
    file = export_model(network, "torch", tmp_path / "wine.pt2").output
    extra = {"samcli.json": ""}
    torch.export.load(file, extra_files=extra)
    assert json.loads(extra["samcli.json"])["classes"] == ["class_0", "class_1", "class_2"]
    assert json.loads(extra["samcli.json"]) == {key: json.loads(value) for key, value in about(network).items()}


def test_a_file_that_is_there_is_kept_unless_it_may_be_replaced(trained: Any, tmp_path: Path) -> None:
    network = samcli.load(trained().path)
    (tmp_path / "mine").write_text("a novel")
    with pytest.raises(ConfigError, match="mine is there already; --force replaces it"):
        export_model(network, "safetensors", tmp_path / "mine")
    assert (tmp_path / "mine").read_text() == "a novel"
    export_model(network, "safetensors", tmp_path / "mine", force=True)
    assert (tmp_path / "mine").read_bytes()[8:9] == b"{"


def test_what_predicts_something_else_is_not_left_behind(
    trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = samcli.load(trained("wine", "linear").path)
    right = FORMATS["safetensors"]

    def wrong(program: Program, raw: Tensor, about: Any) -> bytes:
        program.model[1].bias.add_(torch.tensor([0.01, 0.0, 0.0]))  # type: ignore[operator, union-attr, index]
        return right.encode(program, raw, about)

    monkeypatch.setitem(FORMATS, "safetensors", replace(right, encode=wrong))
    with pytest.raises(ConfigError, match=r"predicts something else than the network, by up to 0\.00"):
        export_model(network, "safetensors", tmp_path / "out" / "a")
    monkeypatch.setitem(FORMATS, "safetensors", replace(right, encode=lambda *_: b"nothing"))
    with pytest.raises(ConfigError, match="could not be run"):
        export_model(network, "safetensors", tmp_path / "out" / "a")
    assert list((tmp_path / "out").iterdir()) == []


class Choosy(nn.Module):
    """Does something else with many inputs, which one graph cannot."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1)[:, :10] * (2.0 if len(x) > 2 else 1.0)


def test_a_model_that_no_graph_holds_is_told(trained: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    network = samcli.load(trained().path)
    choosy = Program(network.program.preprocessing, Choosy(), network.task)
    other = Network(choosy.model, network.config, 1, network.known, choosy)
    with pytest.raises(ConfigError, match=r"mlp cannot be written as torch \(.*\); --to safetensors takes its weights"):
        export_model(other, "torch", tmp_path / "choosy.pt2")
    # a trace holds for the inputs that it followed; others betray it
    with pytest.raises(ConfigError, match="written as torchscript predicts something else than the network"):
        export_model(other, "torchscript", tmp_path / "choosy.pt")
    assert capfd.readouterr() == ("", "")


def test_a_package_that_is_missing_is_named(trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = samcli.load(trained().path)
    monkeypatch.setitem(FORMATS, "onnx", replace(FORMATS["onnx"], packages=("no_such_package",)))
    with pytest.raises(ConfigError, match=r"needs no_such_package; install it with: pip install 'samcli\[onnx\]'"):
        export_model(network, "onnx", tmp_path / "a.onnx")
    with pytest.raises(ConfigError, match=r"There is no format named .onxx.; did you mean onnx\?"):
        export_model(network, "onxx", tmp_path / "a.onnx")


def test_made_up_rows_hold_whole_codes_of_categories(trained: Any) -> None:
    known = samcli.load(trained("wine", "linear").path).known
    shape = exported.made_up(replace(known, shape=type(known.shape)(known.shape, categories=(0, 4, *[0] * 11))), 50)
    assert set(shape[:, 1].tolist()) == {0.0, 1.0, 2.0, 3.0}
