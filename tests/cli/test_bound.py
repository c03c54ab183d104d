"""`samcli bound`: the prior of a run, one that is named, and what is refused."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from command import Samcli
from PIL import Image

EXPERIMENT = """
name: bound
dataset: digits
model: mlp
epochs: 2
sharpness: {every: 0}
optimizer: [{name: sgd, lr: 0.05}, {name: sam, lr: 0.05}]
seeds: 0-1
stages:
  - {dataset: {name: digits, train_examples: 700}, optimizer: {name: sgd, lr: 0.05}, epochs: 10}
"""


@pytest.fixture
def results(samcli: Samcli, tmp_path: Path) -> Path:
    (tmp_path / "bound.yaml").write_text(EXPERIMENT)
    assert samcli("train", tmp_path / "bound.yaml", "--results", tmp_path / "results", "--jobs", 0).code == 0
    return tmp_path / "results"


def test_the_stage_is_the_prior(samcli: Samcli, results: Path, tmp_path: Path) -> None:
    called = samcli("bound", results, "--draws", 50)
    assert called.code == 0
    for word in ("bound", "test error", "test bound", "738", "sgd seed 0", "sam rho=0.05 seed 1"):
        assert word in called.out
    assert "with a probability of 0.95" in called.err
    rows = json.loads(samcli("bound", results, "--draws", 50, "--format", "json").out)
    for row in rows:
        assert row["n"] == 1438 - 700
        assert row["risk"] <= row["risk_bound"] <= row["bound"] <= 1.0
        assert row["test_error"] < row["test_bound"] < row["bound"]
        last = list(csv.DictReader(io.StringIO(Path(row["checkpoint"]).with_name("metrics.csv").read_text())))[-1]
        # the prior's constants in place of the network's own, which differ in the third digit: an example or two
        assert row["test_error"] == pytest.approx(1 - float(last["test_accuracy"]), abs=2.5 / 359)
    compared = samcli("compare", results, "--metric", "pac-bayes-bound")
    assert compared.code == 0
    assert f"{sum(row['bound'] for row in rows if 'sgd' in row['checkpoint']) / 2:.4f}" in compared.out
    kept = {file: file.read_bytes() for file in results.rglob("sharpness.json")}
    samcli("bound", results, "--draws", 50)
    assert {file: file.read_bytes() for file in results.rglob("sharpness.json")} == kept


def test_a_prior_that_is_named(samcli: Samcli, results: Path, tmp_path: Path) -> None:
    small = ("--set", "dataset.train_examples=400", "--epochs", 5, "--seeds", 0, "--set", "sharpness.every=0")
    samcli("train", "--model", "mlp", "--optimizer", "sgd", *small, "--results", tmp_path / "priors")
    (prior,) = (tmp_path / "priors").glob("*/*")
    rows = json.loads(samcli("bound", results, "--prior", prior, "--draws", 20, "--format", "json").out)
    assert {row["n"] for row in rows} == {1438 - 400}
    itself = samcli("bound", prior, "--prior", prior, "--draws", 20)
    assert itself.code == 2
    assert "none is left for the bound" in itself.err
    (run,) = results.glob("bound/*sgd*seed0*")
    staged = samcli("bound", prior, "--prior", run, "--draws", 20)
    assert staged.code == 2
    assert "began with weights that were trained before" in staged.err
    without = samcli("bound", prior, "--draws", 20)
    assert without.code == 2
    assert "has no stage that could be its prior" in without.err


@pytest.mark.parametrize(
    ("model", "sentence"), [("mlp", "running statistics"), ("linear", "other tensors|has no tensor")]
)
def test_networks_that_have_no_bound(samcli: Samcli, tmp_path: Path, model: str, sentence: str) -> None:
    common = ("--optimizer", "sgd", "--seeds", 0, "--epochs", 1, "--set", "sharpness.every=0")
    common += ("--set", "model.norm=batch") if model == "mlp" else ()
    prior_model = "mlp"
    samcli("train", "--model", model, *common, "--results", tmp_path / "run")
    part = ("--set", "dataset.train_examples=100")
    samcli("train", "--model", prior_model, *common, *part, "--results", tmp_path / "prior")
    (prior,) = (tmp_path / "prior").glob("*/*")
    called = samcli("bound", tmp_path / "run", "--prior", prior, "--draws", 20)
    assert called.code == 2
    assert any(part in called.err for part in sentence.split("|"))
    assert "Traceback" not in called.err


def test_a_prior_of_other_images_under_the_same_name(samcli: Samcli, tmp_path: Path) -> None:
    """Which examples it has seen is told by their numbers, and these are other images now."""
    images, generator = tmp_path / "images", np.random.default_rng(0)
    for name in ("cat", "dog"):
        for part in ("train", "test"):
            (images / part / name).mkdir(parents=True)
            for i in range(12):
                Image.fromarray(generator.integers(0, 256, (4, 4, 3)).astype(np.uint8)).save(
                    images / part / name / f"{i:02}.png"
                )
    common = ("--dataset", f"image-folder:{images}", "--model", "linear", "--optimizer", "sgd", "--seeds", 0)
    common += ("--epochs", 1, "--set", "sharpness.every=0")
    part = ("--set", "dataset.train_examples=10")
    assert samcli("train", *common, *part, "--results", tmp_path / "prior").code == 0
    (prior,) = (tmp_path / "prior").glob("*/*")
    assert samcli("train", *common, "--results", tmp_path / "run").code == 0
    assert samcli("bound", tmp_path / "run", "--prior", prior, "--draws", 20).code == 0
    (images / "train" / "cat" / "00.png").rename(images / "train" / "cat" / "99.png")
    assert samcli("train", *common, "--results", tmp_path / "again").code == 0
    called = samcli("bound", tmp_path / "again", "--prior", prior, "--draws", 20)
    assert called.code == 2
    assert f"{prior / 'checkpoint.pt'} was trained with other data" in called.err
