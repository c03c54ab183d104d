"""`samcli compare` on what `samcli train` wrote, and on what it did not."""

import csv
import io
import json
from pathlib import Path

import pytest
from command import Samcli

JSON = ("--format", "json")


@pytest.fixture
def results(samcli: Samcli, tmp_path: Path) -> Path:
    small = ("--set", "dataset.train_examples=60", "--epochs", "2", "--set", "sharpness.examples=20")
    samcli("train", "--model", "mlp", "--optimizer", "sgd,sam", "--seeds", "0-1", *small, "--results", tmp_path)
    return tmp_path


def test_formats(samcli: Samcli, results: Path) -> None:
    table = samcli("compare", results)
    assert table.code == 0
    assert "sam rho=0.05" in table.out
    assert "baseline" in table.out
    assert table.err == ""
    markdown = samcli("compare", results, "--format", "markdown").out
    assert markdown.startswith("|")
    latex = samcli("compare", results, "--format", "latex").out
    assert r"\toprule" in latex
    assert r"\bottomrule" in latex
    rows = list(csv.DictReader(io.StringIO(samcli("compare", results, "--format", "csv").out)))
    assert {row["optimizer"] for row in rows} == {"sgd", "sam"}
    document = json.loads(samcli("compare", results, "--format", "json").out)
    assert {row["n"] for row in document["rows"]} == {2}


def test_foreign_and_half_written_folders(samcli: Samcli, results: Path) -> None:
    foreign = results / "digits" / "foreign"
    foreign.mkdir()
    (foreign / "metrics.csv").write_text("a,b\n1,2\n")
    (results / "notes").mkdir()
    called = samcli("compare", results)
    assert called.code == 0
    assert "foreign" in called.err
    assert "warning: " in called.err
    assert "notes" not in called.err
    assert "sam rho=0.05" in called.out


def test_mistakes(samcli: Samcli, results: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for arguments, code, sentence in (
        ([tmp_path / "absent"], 2, "There are no results at"),
        ([empty], 3, "samcli train"),
        ([results, "--metric", "test_acuracy"], 2, "test_accuracy"),
        ([results, "--format", "html"], 2, "html"),
        ([results, "--budget", "money"], 2, "money"),
        ([results, "--output", tmp_path / "gap.png"], 2, "add --correlate, or leave --output out"),
        ([results, "--correlate", "--output", tmp_path / "gap.jpg"], 2, "a picture ends in .png, .svg or .pdf"),
    ):
        called = samcli("compare", *arguments)
        assert called.code == code, called.err
        assert sentence in called.err
        assert "Traceback" not in called.err
        assert called.out == ""
    assert not list(tmp_path.glob("gap.*"))


def test_every_spelling_of_a_score_is_the_column(samcli: Samcli, tmp_path: Path) -> None:
    """That of `evaluate.metrics` and that of `metrics.csv`, in tables, plots and pages."""
    asked = ("--set", "evaluate.metrics=[macro-f1]", "--set", "dataset.train_examples=60", "--epochs", "1")
    samcli("train", "--model", "linear", "--optimizer", "sgd", *asked, "--results", tmp_path)
    plain = samcli("compare", tmp_path, "--metric", "test_macro_f1", *JSON).out
    assert json.loads(plain)["rows"][0]["metric"] == "test_macro_f1"
    for spelling in ("macro-f1", "macro_f1", "test_macro-f1", "test-macro-f1"):
        assert samcli("compare", tmp_path, "--metric", spelling, *JSON).out == plain
    drawn = samcli("plot", tmp_path, "--metric", "macro-f1", "--json")
    assert drawn.code == 0, drawn.err
    assert drawn.out == samcli("plot", tmp_path, "--metric", "test_macro_f1", "--json").out
    called = samcli("compare", tmp_path, "--metric", "macro-f")
    assert (called.code, called.out) == (2, "")
    assert "No run has a metric 'macro-f'; did you mean macro-f1?" in called.err
    called = samcli("compare", tmp_path, "--metric", "roc-auc")
    assert (called.code, called.out) == (2, "")
    assert "No run has a metric 'test_roc_auc'" in called.err


def test_budget_and_baseline(samcli: Samcli, results: Path) -> None:
    called = samcli("compare", results, "--baseline", "sam", "--budget", "gradients", "--format", "json")
    document = json.loads(called.out)
    (baseline,) = [row for row in document["rows"] if row["is_baseline"]]
    assert baseline["optimizer"] == "sam"


def test_correlate(samcli: Samcli, results: Path) -> None:
    nothing = samcli("compare", results, "--correlate")
    assert nothing.code == 3
    assert "samcli sharpness RESULTS" in nothing.err
    samcli("sharpness", results, "--measure", "one-step,grad-norm")
    table = samcli("compare", results, "--correlate")
    assert table.code == 0
    assert "one-step" in table.out
    assert "95 % interval" in table.err
    rows = json.loads(samcli("compare", results, "--correlate", "--format", "json").out)
    assert [row["runs"] for row in rows] == [4, 4]
    assert {row["measure"] for row in rows} == {"one-step rho=0.05", "grad-norm"}
    lines = list(csv.DictReader(io.StringIO(samcli("compare", results, "--correlate", "--format", "csv").out)))
    assert [float(row["tau"]) for row in lines] == [row["tau"] for row in rows]
    assert samcli("compare", results, "--correlate", "--format", "latex").code == 2


def test_a_picture_of_correlations(samcli: Samcli, results: Path) -> None:
    """Its path is the last line, but where the rest of standard output is one document."""
    samcli("sharpness", results, "--measure", "one-step,grad-norm")
    table = samcli("compare", results, "--correlate").out
    for suffix, start in {".png": b"\x89PNG", ".SVG": b"<?xml", ".pdf": b"%PDF"}.items():
        picture = results / "new" / f"gap{suffix}"
        called = samcli("compare", results, "--correlate", "--output", picture)
        assert called.code == 0, called.err
        assert called.out == f"{table}{picture}\n"
        assert picture.read_bytes().startswith(start)
    text = (results / "new" / "gap.SVG").read_text()
    for words in (
        "one-step rho=0.05",
        "grad-norm",
        "gap of 4 runs",
        "digits, mlp",
        "sam rho=0.05, 2 runs",
        "sgd, 2 runs",
    ):
        assert words in text
    plain = samcli("compare", results, "--correlate", "--metric", "test_loss", *JSON)
    called = samcli("compare", results, "--correlate", "--metric", "test_loss", *JSON, "--output", results / "loss.svg")
    assert called.out == plain.out
    assert called.err == f"{results / 'loss.svg'}\n"
    assert ">test loss<" in (results / "loss.svg").read_text()
    wrong = samcli("compare", results, "--correlate", "--format", "latex", "--output", results / "latex.svg")
    assert wrong.code == 2
    assert not (results / "latex.svg").exists()


def test_a_kept_measure_as_metric(samcli: Samcli, results: Path) -> None:
    samcli("sharpness", results, "--measure", "one-step,lambda-max", "--examples", 40)
    table = samcli("compare", results, "--metric", "lambda-max")
    assert table.code == 0
    assert "digits, mlp: lambda-max" in table.out
    rows = {
        row["optimizer"]: row
        for row in json.loads(samcli("compare", results, "--metric", "lambda-max", *JSON).out)["rows"]
    }
    kept = {
        path.parent.name: next(
            e["value"] for e in json.loads(path.read_text())["measured"] if e["label"] == "lambda-max"
        )
        for path in results.glob("*/*/sharpness.json")
    }
    sgd = [value for name, value in kept.items() if "-sgd-" in name]
    assert rows["sgd"]["last_mean"] == pytest.approx(sum(sgd) / 2)
    assert rows["sam"]["pairs"] == 2
    called = samcli("compare", results, "--metric", "one-step")
    assert called.code == 2
    assert "did you mean one-step rho=0.05?" in called.err


def test_what_correlate_does_not_take(samcli: Samcli, results: Path, tmp_path: Path) -> None:
    samcli("sharpness", results, "--measure", "one-step", "--rho", "0.05,0.1")
    (tmp_path / "file").write_text("")
    for arguments, sentence in (
        (("--correlate", "--budget", "gradients"), "leave --budget out"),
        (("--correlate", "--output", tmp_path / "file" / "x.png"), "cannot be written"),
        (("--metric", "one-step"), "one-step is kept in several ways; name one of them: 'one-step rho=0.05"),
    ):
        called = samcli("compare", results, *arguments)
        assert called.code == 2
        assert sentence in called.err
        assert "Traceback" not in called.err


def test_correlating_several_architectures_is_warned_of(samcli: Samcli, results: Path) -> None:
    small = ("--epochs", "1", "--set", "dataset.train_examples=60", "--set", "sharpness.examples=20")
    samcli("train", "--model", "linear", "--seeds", "0-1", *small, "--results", results, "--name", "other")
    samcli("sharpness", results, "--measure", "grad-norm")
    called = samcli("compare", results, "--correlate")
    assert called.code == 0
    assert "different architectures or data sets does not compare" in called.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("--tasks", "--hypotheses"),
            "--hypotheses and --tasks are tables of their own; ask for one of them at a time.",
        ),
        (("--tasks", "--columns", "n"), "--tasks has columns of its own; leave --columns out."),
        (
            ("--sensitivity", "rho", "--select", "epoch"),
            "--sensitivity chooses no settings beforehand; leave --select out.",
        ),
        (
            ("--sensitivity", "rho", "--budget", "gradients"),
            "--sensitivity reads runs at their end; leave --budget out.",
        ),
        (
            ("--hypotheses", "--budget", "gradients"),
            "--hypotheses judges as the experiment's file says; leave --budget out.",
        ),
        (("--hypotheses", "--columns", "n"), "--hypotheses has columns of its own; leave --columns out."),
        (("--margin", "inf"), "--margin must be above 0 and finite, not inf"),
        (("--tasks",), "These runs are of one data set and model; name those of several."),
        (("--sensitivity", "rhoo"), "no run has a setting 'rhoo'; did you mean rho?"),
    ],
)
def test_tables_of_their_own_and_what_they_do_not_take(
    samcli: Samcli, results: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    called = samcli("compare", results, *arguments)
    assert called.code != 0
    assert sentence in " ".join(called.err.split())


def test_correlating_with_a_setting_held_fixed(samcli: Samcli, results: Path) -> None:
    samcli("sharpness", results, "--measure", "grad-norm")
    (row,) = json.loads(samcli("compare", results, "--correlate", "--hold", "optimizer", "--format", "json").out)
    assert (row["groups"], row["low"]) == (2, None)
    assert 0.0 < row["p"] <= 1.0
    called = samcli("compare", results, "--correlate", "--hold", "optimizer")
    assert "among runs of the same optimizer alone" in " ".join(called.err.split())
    assert "same optimizer and epochs alone" in " ".join(
        samcli("compare", results, "--correlate", "--hold", "optimizer,epochs").err.split()
    )
    unknown = samcli("compare", results, "--correlate", "--hold", "lrr")
    assert unknown.code == 2
    assert "No run has a setting 'lrr'" in unknown.err
    alone = samcli("compare", results, "--hold", "lr")
    assert alone.code == 2
    assert "--hold is for --correlate" in alone.err
