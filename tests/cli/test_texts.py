"""Texts of one's own at the command line."""

import csv
import io
from pathlib import Path

import pytest
from command import Samcli


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows = [f"a {('bad', 'good')[i % 2]} film {i},{('down', 'up')[i % 2]}" for i in range(40)]
    (tmp_path / "films.csv").write_text("\n".join(["said,label", *rows]))
    return tmp_path / "films.csv"


def test_train_and_predict(samcli: Samcli, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    small = ("--epochs", "4", "--set", "batch_size=4", "--set", "dataset.length=8", "--seeds", "0")
    called = samcli("train", "--dataset", "text-csv:films.csv", "--optimizer", "sgd", *small)
    assert called.code == 0, called.err
    assert (
        "films.csv: 40 examples, 2 classes, up to 8 of 6 tokens in each, texts from said and classes from label, the 4 "
        "words of two training texts or more, 25 % of the tokens unknown words\n"
    ) in called.err
    called = samcli("predict", "results", "films.csv")
    assert called.code == 0, called.err
    rows = list(csv.DictReader(io.StringIO(called.out)))
    assert [row["class"] for row in rows] == ["down", "up"] * 20
    (tmp_path / "a.txt").write_text("a good film")
    assert samcli("predict", "results", "a.txt").out.splitlines()[1].startswith("a.txt,up,0.")
    assert "longer" not in called.err
    (tmp_path / "b.txt").write_text("a good film " * 3)
    longer = samcli("predict", "results", "a.txt", "b.txt", "films.csv")
    assert longer.code == 0
    assert (
        "warning: 1 of 42 texts is longer than the 8 tokens that the network reads; the rest was left out.\n"
    ) in longer.err
    assert len(longer.out.splitlines()) == 43


def test_check_says_what_would_be_made(samcli: Samcli, table: Path, tmp_path: Path) -> None:
    called = samcli("check", f"text-csv:{table}")
    assert called.code == 0, called.err
    assert "ok     films.csv: 40 examples, 2 classes, up to 64 of 6 tokens in each, texts from said" in called.out
    note = "Note: films.csv: nobody named the columns, so texts are from said and classes are from label; name another "
    assert called.err == f"{note}with --set dataset.text=COLUMN --set dataset.target=COLUMN\n"
    named = ["--set", "dataset.text=said"]
    assert "named the column, so classes are from label; name" in samcli("check", f"text-csv:{table}", *named).err
    assert samcli("check", f"text-csv:{table}", *named, "--set", "dataset.target=label").err == ""
    for name in ("up", "down"):
        (tmp_path / "folder" / name).mkdir(parents=True)
        for i in range(5):
            (tmp_path / "folder" / name / f"{i}.txt").write_text(f"{name} it goes {i}")
    called = samcli("check", f"text-folder:{tmp_path}/folder")
    assert "ok     folder: 10 examples, 2 classes (down: 5, up: 5), up to 64 of" in called.out


def test_a_mistake_is_a_sentence(samcli: Samcli, table: Path) -> None:
    train = ("train", "--dataset", f"text-csv:{table}", "--optimizer", "sgd", "--epochs", "1")
    for key, value, sentence in (
        ("dataset.text", "sayd", f"samcli: {table} has no column 'sayd', which text names; did you mean said?"),
        ("dataset.tokenizer", table, f"samcli: {table} is no tokenizer: neither a tokenizer.json nor a vocabulary"),
        ("model", "gpt", "samcli: gpt does not give what"),
    ):
        called = samcli(*train, "--set", f"{key}={value}")
        assert called.code == 2
        assert called.err.splitlines()[-1].startswith(sentence)
