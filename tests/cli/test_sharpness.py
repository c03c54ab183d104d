"""`samcli sharpness` on checkpoints, runs and folders of runs."""

import csv
import io
import json
from pathlib import Path

import pytest
import torch
from command import Samcli

from samcli.sharpness import MEASURES


@pytest.fixture
def results(samcli: Samcli, tmp_path: Path) -> Path:
    small = ("--set", "dataset.train_examples=60", "--epochs", "2", "--set", "sharpness.examples=60")
    samcli("train", "--model", "mlp", "--optimizer", "sgd,sam", *small, "--results", tmp_path / "results")
    return tmp_path / "results"


def test_table(samcli: Samcli, results: Path) -> None:
    called = samcli("sharpness", results)
    assert called.code == 0
    for word in ("one-", "step-", "adaptive-", "linf", "norm", "lambda-", "max"):
        assert word in called.out
    tables = called.out.count("run ")  # as many measures as fit, then another table
    assert tables >= 1
    assert called.out.count("sgd seed 0") == called.out.count("sam rho=0.05 seed 0") == tables
    assert "Mean loss of 60 training examples, evaluation mode" in called.err


def test_agrees_with_the_column_of_the_run(samcli: Samcli, results: Path) -> None:
    """With all examples and the same radius it is the same measurement."""
    (run,) = results.glob("digits/digits-mlp-sam-*")
    called = samcli("sharpness", run / "checkpoint.pt", "--measure", "one-step,grad-norm", "--format", "json")
    (row,) = json.loads(called.out)
    last = list(csv.DictReader(io.StringIO((run / "metrics.csv").read_text())))[-1]
    assert row["values"]["one-step"]["value"] == pytest.approx(float(last["sharpness"]), rel=1e-5)
    assert row["values"]["grad-norm"]["value"] == pytest.approx(float(last["grad_norm"]), rel=1e-5)
    assert row["values"]["one-step"]["examples"] == 60
    assert row["epoch"] == 2


def test_csv_has_residual_and_converged(samcli: Samcli, results: Path) -> None:
    called = samcli("sharpness", results, "--measure", "lambda-max", "--format", "csv", "--examples", 30, "--seed", 1)
    rows = list(csv.DictReader(io.StringIO(called.out)))
    assert len(rows) == 2
    for row in rows:
        assert row["lambda-max-converged"] == "True"
        assert float(row["lambda-max-error"]) <= 1e-3
        assert 0.0 < float(row["lambda-max-residual"]) < 0.1
        assert float(row["lambda-max"]) > 0
    again = samcli("sharpness", results, "--measure", "lambda-max", "--format", "csv", "--examples", 30, "--seed", 1)
    assert again.out == called.out


def test_csv_of_rows_that_differ(samcli: Samcli, results: Path) -> None:
    """A standard error that one of the checkpoints has not leaves its cell empty."""
    samcli("sharpness", results, "--measure", "average-case,grad-norm")
    kept = sorted(results.glob("*/*/sharpness.json"))[1]
    content = json.loads(kept.read_text())
    content["measured"][0]["stderr"] = None
    kept.write_text(json.dumps(content))
    called = samcli("sharpness", results, "--measure", "average-case,grad-norm", "--format", "csv")
    assert called.code == 0
    first, second = csv.DictReader(io.StringIO(called.out))
    assert float(first["average-case-stderr"]) > 0.0
    assert second["average-case-stderr"] == ""
    assert float(second["average-case"]) != 0.0


def test_what_does_not_apply(samcli: Samcli, results: Path) -> None:
    (sgd,) = results.glob("*/digits-mlp-sgd-*")
    alone = samcli("sharpness", sgd, "--measure", "lambda-max-adam")
    assert alone.code == 2
    assert "samcli: lambda-max-adam needs the state of Adam" in alone.err
    assert alone.out == ""
    small = ("--set", "dataset.train_examples=60", "--epochs", "1", "--results", results)
    samcli("train", "--model", "mlp", "--optimizer", "adam", *small)
    both = samcli("sharpness", results, "--measure", "lambda-max-adam", "--format", "json")
    assert both.code == 1
    assert both.err.count("needs the state of Adam") == 2
    (row,) = json.loads(both.out)
    assert "digits-mlp-adam-" in row["run"]
    assert row["values"]["lambda-max-adam"]["edge_ratio"] > 0.0


def test_all_that_applies(samcli: Samcli, tmp_path: Path) -> None:
    """Regression has no accuracy, which PAC-Bayes counts, and the run no state of Adam."""
    small = ("--set", "dataset.train_examples=40", "--epochs", "1", "--results", tmp_path)
    samcli("train", "--dataset", "diabetes", "--model", "linear", "--optimizer", "sgd", *small)
    called = samcli(
        "sharpness", tmp_path, "--measure", "all", "--examples", "40", "--set", "steps=3", "--format", "json"
    )
    assert called.code == 0
    (row,) = json.loads(called.out)
    missing = {"pac-bayes-sigma", "pac-bayes-sigma-adaptive", "lambda-max-adam"}
    assert set(row["values"]) == set(MEASURES) - missing
    for name in missing:
        assert f"{name} is passed over. " in called.err
    assert "Traceback" not in called.err


def test_sets_of_examples_and_batch_norm(samcli: Samcli, results: Path) -> None:
    how = ("--measure", "worst-case", "--set", "steps=2", "--examples", 40, "--format", "json")
    values = {}
    for flags in ((), ("--m", 10), ("--batch-norm", "recalibrated", "--batch-size", 20)):
        (row, _) = json.loads(samcli("sharpness", results, *how, *flags).out)
        values[flags] = row["values"]["worst-case"]
    plain, sets, recalibrated = values.values()
    assert (sets["sets"], plain["sets"]) == (4, 1)
    assert sets["value"] > plain["value"]
    assert (recalibrated["batch_norm"], recalibrated["batch_size"]) == ("recalibrated", 20)
    assert "with BatchNorm recalibrated" in samcli("sharpness", results, *how[:-2], "--batch-norm", "recalibrated").err
    assert samcli("sharpness", results, "--batch-norm", "training").code == 2


def test_mistakes(samcli: Samcli, results: Path, tmp_path: Path) -> None:
    foreign, empty = tmp_path / "foreign.pt", tmp_path / "empty"
    torch.save({"state_dict": {}}, foreign)
    empty.mkdir()
    truncated = tmp_path / "truncated.pt"
    checkpoint = next(results.glob("*/*/checkpoint.pt"))
    truncated.write_bytes(checkpoint.read_bytes()[:5000])
    for path, sentence in (
        (tmp_path / "absent.pt", "There is no file or folder"),
        (foreign, "was not written by samcli"),
        (truncated, "is truncated or no checkpoint at all"),
        (empty, "There is no checkpoint"),
    ):
        called = samcli("sharpness", path)
        assert called.code == 2
        assert sentence in called.err
        assert "Traceback" not in called.err
    called = samcli("sharpness", checkpoint, "--measure", "lambda-mx")
    assert called.code == 2
    assert "did you mean lambda-max?" in called.err


def test_one_bad_checkpoint_does_not_stop_the_others(samcli: Samcli, results: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.pt"
    torch.save({"state_dict": {}}, foreign)
    called = samcli("sharpness", foreign, results, "--measure", "grad-norm")
    assert called.code == 1
    assert "was not written by samcli" in called.err
    tables = called.out.count("run ")  # as many measures as fit, then another table
    assert tables >= 1
    assert called.out.count("sgd seed 0") == called.out.count("sam rho=0.05 seed 0") == tables


def test_radii_parameters_and_what_is_kept(samcli: Samcli, results: Path) -> None:
    called = samcli("sharpness", results, "--measure", "one-step,lambda-max", "--rho", "0.1,0.05", "--format", "json")
    assert called.code == 0
    rows = json.loads(called.out)
    assert list(rows[0]["values"]) == ["one-step rho=0.05", "one-step rho=0.1", "lambda-max"]
    assert all(path.with_name("sharpness.json").exists() for path in results.glob("*/*/checkpoint.pt"))
    rougher = samcli("sharpness", results, "--measure", "lambda-max", "--set", "tolerance=0.1", "--format", "json")
    assert json.loads(rougher.out)[0]["values"]["lambda-max"]["tolerance"] == 0.1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--rho", "wide"), "rho must be a number at least 0"),
        (("--measure=lambda-max", "--rho=0.1"), "has no option 'rho'"),
        (("--rho", "0.1,"), "rho must be a number at least 0"),
        (("--m", "8"), "has no option 'm'"),
        (("--rho", "0.1", "--set", "rho=0.2"), "gives rho a second time"),
        (("--set", "tolerance"), "write KEY=VALUE"),
        (("--set", "tolerence=1"), "did you mean tolerance?"),
        (("--set", "tolerance=-1"), "must be a number above 0"),
    ],
)
def test_wrong_parameters(arguments: tuple[str, str], sentence: str, samcli: Samcli, results: Path) -> None:
    called = samcli("sharpness", results, *arguments)
    assert called.code == 2
    assert sentence in called.err
    assert called.out == ""


def test_loose_checkpoints_have_names_and_files_of_their_own(samcli: Samcli, results: Path, tmp_path: Path) -> None:
    for name, run in zip("ab", sorted(results.glob("digits/*/checkpoint.pt")), strict=True):
        (tmp_path / f"{name}.pt").write_bytes(run.read_bytes())
    paths = [tmp_path / "a.pt", tmp_path / "b.pt"]
    called = samcli(
        "sharpness", *paths, "--measure", "grad-norm", "--examples", 20, "--data-dir", tmp_path, "--format", "json"
    )
    assert [row["run"] for row in json.loads(called.out)] == ["a", "b"]
    assert sorted(file.name for file in tmp_path.glob("*.json")) == ["a.sharpness.json", "b.sharpness.json"]


def test_headings_name_the_radius(samcli: Samcli, results: Path) -> None:
    called = samcli("sharpness", results, "--measure", "one-step,one-step-linf", "--examples", 20)
    assert "rho=0.05" in called.out


def test_the_way_out_of_a_damaged_checkpoint_of_a_finished_run_leads_there(samcli: Samcli, tmp_path: Path) -> None:
    """The command that trained it leaves a finished run alone, so that it is not enough to give it again."""
    train = ("train", "--dataset", "wine", "--optimizer", "sgd", "--epochs", "1", "--seeds", "0", "--results", tmp_path)
    samcli(*train)
    (run,) = tmp_path.glob("wine/wine-*")
    checkpoint = run / "checkpoint.pt"
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    samcli(*train)
    called = samcli("sharpness", run, "--measure", "one-step")
    assert called.code == 2
    assert "move its folder away and train the run again" in " ".join(called.err.split())
    run.rename(tmp_path / "away")
    samcli(*train)
    assert samcli("sharpness", run, "--measure", "one-step").code == 0
