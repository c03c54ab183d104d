"""A table of one's own from the command line: what is said before the first run, and what a slip leads to."""

import json
import re
from pathlib import Path

import pytest
from command import Samcli

ROWS = "".join(f"{20 + 7 * i % 40},{'fm'[i % 2]},{'xyz'[i % 3]},{(20 + 7 * i % 40) * 1.5 + i % 2}\n" for i in range(40))


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "people.csv").write_text("age,sex,kind,cost\n" + ROWS)
    return tmp_path / "people.csv"


SMALL = ("--optimizer", "sgd,sam", "--seeds", "0-1", "--epochs", "2", "--model", "mlp", "--quiet")


def test_a_table_is_trained_and_compared(samcli: Samcli, table: Path) -> None:
    called = samcli("train", "--dataset", "csv:people.csv", "--set", "dataset.target=kind", *SMALL)
    assert called.code == 0, called.err
    assert "people.csv" in called.out
    assert "accuracy" in called.out
    (run,) = {path.parent for path in Path("results").rglob("run.json") if "sgd" in str(path) and "seed0" in str(path)}
    kept = json.loads((run / "run.json").read_text())["dataset"]
    assert kept["classes"] == 3
    assert kept["summary"].startswith("people.csv: 40 examples, 3 classes, 3 columns, predicts kind as classes")
    assert f"csv:{table}" in (run / "config.yaml").read_text()


def test_the_lines_before_the_first_run(samcli: Samcli, table: Path) -> None:
    called = samcli("train", "--dataset", "csv:people.csv", "--dry-run")
    assert called.code == 0
    assert "people.csv: 40 examples, 3 columns, predicts cost, the last column, as a number (it holds" in (
        called.err.replace("\n  ", ", ")
    )
    note = "Note: people.csv: nobody named a target, so cost, the last column, is predicted; name another with --set "
    assert note + "dataset.target=COLUMN\n" in called.err
    named = samcli("train", "--dataset", "csv:people.csv", "--set", "dataset.target=cost", "--dry-run")
    assert "Note" not in named.err


def test_lines_are_no_longer_than_the_terminal(samcli: Samcli, table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was done to a table in one line, where there is room for it, and else each thing in a line of its own."""
    rows = [f"{'' if i % 9 == 0 else i % 7};n{i};x;{i % 2}" for i in range(40)]
    table.write_text("\n".join(["age;id;same;ill", *rows]))
    arguments = ("--dataset", "csv:people.csv", "--set", "dataset.target=ill", "--dry-run")
    monkeypatch.setenv("COLUMNS", "1000")
    (line,) = [line for line in samcli("train", *arguments).err.splitlines() if line.startswith("people.csv")]
    monkeypatch.setenv("COLUMNS", "60")
    told = samcli("train", *arguments).err.splitlines()
    first = next(at for at, line in enumerate(told) if line.startswith("people.csv"))
    assert max(map(len, told[first:])) <= 60
    assert told[first] == "people.csv: 40 examples, 2 classes, 2 columns"
    assert [line for line in told[first + 1 :] if not line.startswith("    ")][1] == "  separated by semicolons"
    words = " ".join(told[first:]).replace(",", "").split()
    assert words == line.replace(",", "").split(), "each clause is there, and nothing else"
    checked = samcli("check", "people.csv", "--set", "dataset.target=ill").out.splitlines()
    assert checked[1] == f"  ok     {told[first]}"
    assert max(map(len, checked[1:])) <= 60


def test_the_folder_has_the_name_of_the_file(samcli: Samcli, table: Path) -> None:
    """And not its whole path; but a folder that an earlier version named so goes on to be the experiment's."""
    command = ("train", "--dataset", "csv:people.csv", "--set", "dataset.target=kind", *SMALL)
    assert samcli(*command).code == 0
    assert [folder.name for folder in Path("results").iterdir()] == ["people"]
    former = re.sub("[^A-Za-z0-9]+", "-", f"csv{table}")
    Path("results/people").rename(f"results/{former}")
    again = samcli(*[one for one in command if one != "--quiet"])
    assert "4 of 4 runs are finished already, 0 left to do." in again.err
    assert f"lie in results/{former}/<run>/" in again.err
    assert [folder.name for folder in Path("results").iterdir()] == [former]


def test_slips_have_a_next_step(samcli: Samcli, table: Path) -> None:
    for arguments, sentence in (
        (["train", "--dataset", "people.csv"], "did you mean csv:people.csv?"),
        (["train", "people.csv"], "people.csv is a table, not an experiment; train on it with: samcli train --dataset"),
        (["train", "--dataset", "csv:people.csv", "--set", "dataset.target=knd"], "did you mean kind?"),
        (["train", "--dataset", "csv:absent.csv"], "absent.csv; name a table that is there."),
        (["train", "--dataset", "csv:people.csv", "--model", "cnn"], "cnn needs images of at least 4x4 pixels, but"),
    ):
        called = samcli(*arguments)
        assert called.code == 2
        assert sentence in called.err.replace("\n", " ")
        assert "Traceback" not in called.err


def test_check_and_list_know_tables(samcli: Samcli, table: Path) -> None:
    for name in ("csv:people.csv", "people.csv"):
        called = samcli("check", name)
        assert called.code == 0
        assert f"data set csv:{table}" in called.out
        assert "ok     people.csv: 40 examples" in called.out
    assert "absent.csv; name a table that is there." in samcli("check", "absent.csv").err
    table.write_text("age,kind\n1,x\n2,x\n3,x\n4,x\n5,x\n")
    called = samcli("check", "people.csv")
    assert called.code == 2
    assert "The target 'kind' is 'x' in every row; two classes are needed." in called.err
    assert "csv:FILE" in samcli("list", "datasets").out


def test_check_takes_the_options_of_data(samcli: Samcli, table: Path) -> None:
    """As `train` takes them, for a target that is not the last column."""
    called = samcli("check", "people.csv", "--set", "dataset.target=kind", "--set", "dataset.drop=[sex]")
    assert (called.code, called.err) == (0, "")
    assert "ok     people.csv: 40 examples, 3 classes, 2 columns" in called.out
    assert "predicts kind as classes" in called.out
    assert "nobody named a target, so cost, the last column" in samcli("check", "people.csv").err
    for arguments, sentence in (
        (["people.csv", "--set", "dataset.target=knd"], "did you mean kind?"),
        (["people.csv", "--set", "dataset.tarquet=kind"], "did you mean target?"),
        (["people.csv", "--set", "epochs=2"], "only options of data are checked, such as dataset.target=age"),
        (["rule.py", "--set", "dataset.target=kind"], "--set names options of data"),
    ):
        called = samcli("check", *arguments)
        assert (called.code, called.out) == (2, "")
        assert sentence in called.err


def test_a_target_that_differs_in_every_row(samcli: Samcli, table: Path) -> None:
    """As where the last column is a remark: it was refused for an empty test part, which names no way out."""
    table.write_text("age,sex,remark\n" + "".join(f"{i % 7},{'fm'[i % 2]},text {i}\n" for i in range(40)))
    called = samcli("train", "--dataset", "csv:people.csv", *SMALL)
    assert called.code == 2
    assert "The target 'remark' has another value in every row" in called.err
    assert "name the column to predict with --set dataset.target=COLUMN" in called.err
    assert "(remark is the last column of people.csv, and nobody named another.)" in called.err
    called = samcli("train", "--dataset", "csv:people.csv", "--set", "dataset.target=remark", *SMALL)
    assert called.code == 2
    assert "nobody named" not in called.err


def test_names_from_a_file_obey_no_terminal(samcli: Samcli, table: Path) -> None:
    table.write_text("age,\x1b[31mred\n" + "1,a\n2,b\n" * 5)
    called = samcli("check", "people.csv")
    assert "control characters" in called.err
    table.write_text("age,red\u202e\n" + "1,a\n2,b\n" * 5)
    called = samcli("check", "people.csv")
    assert "\u202e" not in called.out + called.err
    assert r"predicts red\u202e" in called.out


HYPOTHESES = """
dataset: {name: "csv:people.csv", target: TARGET}
model: linear
optimizer: [sgd, sam]
seeds: 0-5
epochs: 1
hypotheses:
  - {says: sam helps, better: {optimizer: sam}, than: {optimizer: sgd}, metric: test_r2}
"""


def test_hypotheses_on_a_number_that_is_predicted(samcli: Samcli, table: Path) -> None:
    Path("hyp.yaml").write_text(HYPOTHESES.replace("TARGET", "cost"))
    assert samcli("train", "hyp.yaml", "--dry-run").code == 0
    Path("hyp.yaml").write_text(HYPOTHESES.replace("TARGET", "kind"))
    called = samcli("train", "hyp.yaml", "--dry-run")
    assert called.code == 2
    assert "no run will have measured 'test_r2'" in called.err


def test_a_test_file_is_the_same_from_wherever_it_is_named(
    samcli: Samcli, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("test.csv").write_text("age,sex,kind,cost\n31,f,x,50\n40,m,y,60.5\n33,f,z,49\n")
    arguments = ("--dataset", f"csv:{table}", "--set", "dataset.target=kind", *SMALL, "--results", f"{table.parent}/r")
    assert samcli("train", *arguments, "--set", "dataset.test=test.csv").code == 0
    (table.parent / "inner").mkdir()
    monkeypatch.chdir(table.parent / "inner")
    again = samcli("train", *[a for a in arguments if a != "--quiet"], "--set", "dataset.test=../test.csv")
    assert again.code == 0
    assert "4 of 4 runs are finished already" in again.err
    changed = samcli(
        "train", *arguments, "--set", "dataset.drop=[sex]", "--set", "dataset.test=../test.csv", "--dry-run"
    )
    assert "done" not in changed.out
