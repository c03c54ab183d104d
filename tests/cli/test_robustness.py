"""`samcli robustness` on checkpoints, runs and folders of runs, and what is made of what it keeps."""

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
import torch
from command import Samcli

from samcli.config import Draft, parse
from samcli.robustness import PERTURBATIONS
from samcli.runs.folder import RunFolder
from samcli.train import CATALOGUE, train_run

QUICK = ("--test", "clean,fgsm", "--eps", "8/255,0.1", "--examples", 100)


SMALL = """{dataset: {name: digits, train_examples: 200}, model: mlp, epochs: 3, sharpness: {every: 0}, seeds: 0-1,
optimizer: [{name: sgd}, {name: sam}]}"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "results" / "digits"
    for config in Draft.of(parse(SMALL, "small.yaml"), CATALOGUE).expand():
        run = RunFolder(folder / f"digits-mlp-{config.optimizer['name']}-seed{config.seed}")
        train_run(config, run, data_dir=Path("data"), device=torch.device("cpu"))
    return folder.parent


@pytest.fixture
def results(trained: Path, tmp_path: Path) -> Path:
    return shutil.copytree(trained, tmp_path / "results")


def test_table(samcli: Samcli, results: Path) -> None:
    called = samcli("robustness", results, *QUICK)
    assert called.code == 0
    assert called.out.count("sgd seed 0") == called.out.count("sam rho=0.05 seed 1") >= 1
    assert "eps=8/255" in called.out
    assert "eps=0.1" in called.out
    assert "Accuracy in % of 100 test examples, evaluation mode, ± standard error." in called.err


def test_the_clean_accuracy_is_that_of_the_run(samcli: Samcli, results: Path) -> None:
    (run,) = results.glob("digits/*sgd*seed0*")
    called = samcli("robustness", run, "--test", "clean", "--format", "json", "--examples", 5000)
    (row,) = json.loads(called.out)
    last = list(csv.DictReader(io.StringIO((run / "metrics.csv").read_text())))[-1]
    assert row["values"]["clean"]["value"] == pytest.approx(float(last["test_accuracy"]))
    assert row["values"]["clean"]["n"] == 359
    assert row["values"]["clean"]["interval"][0] < row["values"]["clean"]["value"]


def test_what_was_tested_is_kept_and_read_again(samcli: Samcli, results: Path) -> None:
    first = samcli("robustness", results, *QUICK, "--format", "csv")
    kept = {path: path.read_bytes() for path in results.rglob("robustness.json")}
    assert len(kept) == 4
    again = samcli("robustness", results, *QUICK, "--format", "csv", "--batch-size", 7)
    assert again.out == first.out
    assert {path: path.read_bytes() for path in results.rglob("robustness.json")} == kept
    rows = list(csv.DictReader(io.StringIO(first.out)))
    assert {"clean", "clean-low", "fgsm eps=8/255", "fgsm eps=0.1-stderr"} <= set(rows[0])


def test_every_test_that_needs_no_other_data(samcli: Samcli, results: Path) -> None:
    (run,) = results.glob("digits/*sgd*seed0*")
    called = samcli("robustness", run, "--test", "all", "--examples", 40, "--format", "json")
    assert called.code == 0
    (row,) = json.loads(called.out)
    tests = {label.split(" ")[0] for label in row["values"]}
    assert tests == set(PERTURBATIONS) - {"shift", "other-classes", "cifar10-c"}
    assert "shift is passed over. It needs a data set of the same classes, which --shift names." in called.err


def test_compare_by_a_test_that_is_kept(samcli: Samcli, results: Path) -> None:
    samcli("robustness", results, *QUICK)
    for name in ("fgsm eps=8/255", "fgsm eps=8/255 accuracy"):
        called = samcli("compare", results, "--metric", name)
        assert called.code == 0
        assert "fgsm eps=8/255: accuracy in %" in called.out
        assert "in percentage points" in called.err + called.out
    several = samcli("compare", results, "--metric", "fgsm")
    assert several.code == 2
    assert "kept in several ways" in several.err
    unknown = samcli("compare", results, "--metric", "fgsm eps=9/255")
    assert unknown.code == 2


def test_a_test_is_a_target_of_correlations(samcli: Samcli, results: Path) -> None:
    samcli("robustness", results, *QUICK)
    samcli("sharpness", results, "--measure", "grad-norm", "--examples", 50)
    called = samcli("compare", results, "--correlate", "--metric", "fgsm eps=0.1")
    assert called.code == 0
    assert "grad-norm" in called.out
    assert "fgsm eps=0.1 accuracy" in called.out + called.err


def test_hypotheses_may_be_about_a_test(samcli: Samcli, results: Path, tmp_path: Path) -> None:
    file = tmp_path / "digits.yaml"
    file.write_text(
        "dataset: {name: digits, train_examples: 200}\nmodel: mlp\nepochs: 3\nsharpness: {every: 0}\nseeds: 0-6\n"
        "optimizer: [{name: sgd}, {name: sam}]\n"
        "hypotheses:\n"
        "- says: SAM is better under one step\n"
        "  better: {optimizer: sam}\n"
        "  than: {optimizer: sgd}\n"
        "  metric: fgsm eps=8/255\n"
    )
    where = ("--results", tmp_path / "judged")
    assert samcli("train", file, *where).code == 0
    assert samcli("robustness", tmp_path / "judged", *QUICK).code == 0
    called = samcli("compare", tmp_path / "judged", "--hypotheses")
    assert called.code == 0
    assert "No run has measured" not in called.out + called.err
    assert "points" in called.out + called.err
    file.write_text(file.read_text().replace("fgsm eps", "fgms eps"))
    mistyped = samcli("train", file, "--results", tmp_path / "other", "--dry-run")
    assert mistyped.code == 2
    assert "no run will have measured 'fgms eps=8/255'" in mistyped.err


def test_the_page_has_a_section(samcli: Samcli, results: Path, tmp_path: Path) -> None:
    samcli("robustness", results, *QUICK)
    assert samcli("report", results, "--output", tmp_path / "page.html").code == 0
    page = (tmp_path / "page.html").read_text()
    assert "Tests kept by samcli robustness" in page
    assert "fgsm eps=8/255: accuracy in %" in page


def test_other_data(samcli: Samcli, results: Path) -> None:
    called = samcli(
        "robustness", results, "--test", "clean", "--examples", 60, "--shift", "digits", "--format", "json"
    )  # fmt: skip
    assert called.code == 0
    row, *_ = json.loads(called.out)
    assert row["values"]["shift digits"]["value"] == row["values"]["clean"]["value"]
    same = samcli("robustness", results, "--test", "clean", "--other-classes", "digits")
    assert same.code == 2
    assert "digits has classes that the network knows: 0, 1, 2, 3, 4; for data of its own classes" in same.err
    table = samcli("robustness", results, "--test", "clean", "--shift", "wine")
    assert table.code == 2
    assert "shift wine: it takes images from elsewhere, and wine has none." in table.err
    passed = samcli("robustness", results, "--examples", 20, "--shift", "wine", "--eps", "8/255", "--format", "json")
    assert passed.code == 0  # as any test that does not apply, where none was named
    assert "shift wine is passed over. It takes images from elsewhere, and wine has none." in passed.err
    assert "shift wine" not in json.loads(passed.out)[0]["values"]
    missing = samcli("robustness", results, "--test", "clean", "--shift", "mnst")
    assert missing.code == 2
    assert "did you mean mnist" in missing.err


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (("--test", "fgms"), "There is no robustness test named 'fgms'; did you mean fgsm?"),
        (("--test", "fgsm", "--eps", "eight"), "must be a number of at least 0 or a fraction such as 8/255"),
        (("--test", "clean", "--eps", "8/255"), "eps"),
        (("--test", "fgsm", "--set", "epsilon=1"), "epsilon"),
        (("--test", "fgsm", "--set", "eps"), "write KEY=VALUE"),
        (("--test", "fgsm", "--set", "eps=0.1", "--eps", "0.2"), "gives eps a second time"),
        (("--test", "weight-rounding", "--set", "bits=1"), "bits must be"),
        (("--test", "pgd", "--set", "steps=0"), "steps must be"),
        (("--test", "cifar10-c:a", "--set", "dir=b"), "--set dir=b gives dir a second time; leave one out."),
        (("--test", "fgsm:a"), "There is no robustness test named 'fgsm:a'"),
        (("--test", "cifar10-c:nowhere"), "CIFAR-10-C has ten classes and images of 3×32×32"),
    ],
)
def test_mistakes_end_in_a_sentence(samcli: Samcli, results: Path, flags: tuple[str, ...], sentence: str) -> None:
    called = samcli("robustness", results, *flags)
    assert called.code == 2
    assert sentence in called.err
    assert called.out == ""
    assert "Traceback" not in called.err


def test_networks_of_tables_are_tested_as_far_as_it_goes(samcli: Samcli, tmp_path: Path) -> None:
    where = ("--results", tmp_path / "results")
    samcli("train", "--dataset", "diabetes", "--optimizer", "sgd", "--epochs", "2", "--seeds", "0", *where)
    called = samcli("robustness", tmp_path / "results", "--format", "json")
    assert called.code == 0
    (row,) = json.loads(called.out)
    assert {one["score"] for one in row["values"].values()} == {"loss"}
    assert {label.split(" ")[0] for label in row["values"]} == {"clean", "weight-rounding", "weight-noise"}
    assert "pgd eps=1/255 is passed over." in called.err
    named = samcli("robustness", tmp_path / "results", "--test", "pgd")
    assert named.code == 2
    assert "Traceback" not in named.err


def test_a_test_of_ones_own(samcli: Samcli, results: Path, tmp_path: Path) -> None:
    plugin = tmp_path / "upside_down.py"
    plugin.write_text(
        "from dataclasses import dataclass\n"
        "from samcli.robustness import PERTURBATIONS, Outcome, Perturbation, Subject\n\n"
        "@PERTURBATIONS.register('upside-down')\n"
        "@dataclass(frozen=True, kw_only=True)\n"
        "class UpsideDown(Perturbation):\n"
        '    """Accuracy on images that stand on their heads."""\n\n'
        "    def of(self, subject: Subject) -> Outcome:\n"
        "        return subject.outcome(subject.values(lambda x, y, place: x.flip(2)))\n"
    )
    called = samcli("robustness", results, "--plugin", plugin, "--test", "clean,upside-down", "--format", "json")
    assert called.code == 0
    row, *_ = json.loads(called.out)
    assert 0.0 <= row["values"]["upside-down"]["value"] < row["values"]["clean"]["value"]
    kept = samcli("compare", results, "--metric", "upside-down")
    assert kept.code == 0
    assert "upside-down: accuracy in %" in kept.out
