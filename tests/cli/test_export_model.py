"""`samcli export-model` on what `samcli train` wrote."""

import json
from pathlib import Path

import pytest
import torch
from command import Samcli

import samcli as package
from samcli import registry
from samcli.models import MODELS


@pytest.fixture
def run(samcli: Samcli, tmp_path: Path) -> Path:
    small = ("--set", "dataset.train_examples=60", "--epochs", "1", "--results", tmp_path / "results")
    assert samcli("train", "--dataset", "wine", "--model", "mlp", "--optimizer", "sgd", *small).code == 0
    (folder,) = (tmp_path / "results").glob("*/*/checkpoint.pt")
    return folder.parent


def test_writes_a_program_and_says_how_far_it_is_off(samcli: Samcli, run: Path, tmp_path: Path) -> None:
    file = tmp_path / "out" / "wine.pt2"
    called = samcli("export-model", run, "--to", "torch", "-o", file)
    assert (called.code, called.out) == (0, f"{file}\n"), called.err
    verified, use = called.err.splitlines()
    assert verified.startswith("Run on 10 made-up inputs in batches of 1, 2 and 7: the largest difference from the ")
    assert use == f"Use it: torch.export.load('{file}').module()(raw) in Python"
    rows = torch.zeros(3, 13)
    assert torch.allclose(torch.export.load(file).module()(rows), package.load(run).predict(rows), atol=1e-6)
    called = samcli("export-model", run, "--to", "torch", "-o", file)
    assert called.code == 2
    assert "is there already; --force replaces it" in called.err
    assert samcli("export-model", run, "--to", "torch", "-o", file, "--force").code == 0


def test_json_on_what_was_written(samcli: Samcli, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    held = json.loads(samcli("export-model", run, "--to", "safetensors", "--json").out)
    size = Path("samcli-model.safetensors").stat().st_size
    assert held == {"format": "safetensors", "output": "samcli-model.safetensors", "bytes": size,
                    "largest_difference": 0.0, "inputs": 10}  # fmt: skip


def test_torchscript_brings_no_warnings(samcli: Samcli, run: Path, tmp_path: Path) -> None:
    called = samcli("export-model", run, "--to", "torchscript", "-o", tmp_path / "wine.pt", "--quiet")
    assert (called.code, called.err) == (0, "")


def test_a_mistake_is_told(samcli: Samcli, run: Path, tmp_path: Path) -> None:
    assert "Say in which form, with --to: torch, torchscript, onnx, safetensors." in samcli("export-model", run).err
    called = samcli("export-model", run, "--to", "torch", "-o", tmp_path)
    assert called.code == 2
    assert "cannot be written" in called.err
    called = samcli("export-model", run, "--to", "torch", "--epoch", "best", "-o", tmp_path / "a")
    assert called.code == 2
    assert "has no best.pt" in called.err


PLUGIN = """
from dataclasses import dataclass
from torch import nn
from samcli.models import MODELS, ModelKind

@MODELS.register("stacked")
@dataclass(frozen=True, kw_only=True)
class Stacked(ModelKind):
    def fits(self, shape):
        return len(shape) == 1

    def build(self, shape, outputs):
        return nn.Sequential(nn.Linear(shape[0], 4), nn.ReLU(), nn.Linear(4, outputs))
"""


def test_a_model_of_a_plug_in(samcli: Samcli, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(PLUGIN)
    small = ("--epochs", "1", "--results", tmp_path / "results", "--plugin", tmp_path / "mine.py")
    assert samcli("train", "--dataset", "wine", "--model", "stacked", "--optimizer", "sgd", *small).code == 0
    registry._PLUGINS.clear()  # as in another process
    del MODELS._kinds["stacked"]
    arguments = ("export-model", tmp_path / "results", "--to", "torch", "-o", tmp_path / "a.pt2")
    called = samcli(*arguments)
    assert called.code == 2
    assert f"--plugin {tmp_path / 'mine.py'}" in called.err
    assert samcli(*arguments, "--plugin", tmp_path / "mine.py").code == 0


def test_the_suffix_says_the_form_and_does_not_lie(samcli: Samcli, run: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.safetensors"
    assert samcli("export-model", run, "-o", file).code == 0
    assert file.is_file()
    refused = samcli("export-model", run, "--to", "safetensors", "-o", tmp_path / "a.onnx")
    assert refused.code == 2
    assert "ends as a file of --to onnx; name another one" in refused.err
